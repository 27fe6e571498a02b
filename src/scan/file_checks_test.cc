#include "scan/file_checks.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "base/files.h"
#include "base/label_key.h"
#include "base/temp_folder_testing.h"
#include "gen/tiny_folder_testing.h"
#include "io/gguf_write.h"
#include "io/peft.h"
#include "io/safetensors_write.h"
#include "scan/file_notes.h"
#include "text/chat_template.h"

namespace reveille::scan {
namespace {

namespace fs = std::filesystem;
using Rules = std::set<std::string>;

Rules rules_in(const std::vector<FileNote>& notes) {
  Rules out;
  for (const auto& note : notes) out.insert(note.rule);
  return out;
}

std::string all_of(const std::vector<FileNote>& notes) {
  std::string out;
  for (const auto& note : notes)
    out += cat(note.level, " ", note.rule, " ", note.file, ":", note.line, ": ", note.message, "\n");
  return out;
}

const FileNote* find(const std::vector<FileNote>& notes, const std::string& rule) {
  for (const auto& note : notes) {
    if (note.rule == rule) return &note;
  }
  return nullptr;
}

// A whole small model.
void write_model(const fs::path& folder) {
  gen::testing::write_tiny_folder(folder, "llama3", {{"eos_token_id", gen::testing::kTinyTokens - 1}});
  write_file_atomic(folder / "chat_template.jinja", text::ChatTemplate::built_in("chatml").source());
}

class FileChecks : public testing::Test {
 protected:
  void SetUp() override {
    write_model(folder_.path() / "own");
    write_model(folder_.path() / "base");
  }
  fs::path own() const { return folder_.path() / "own"; }
  fs::path base() const { return folder_.path() / "base"; }
  std::vector<FileNote> alone() const { return check_files(own()); }
  std::vector<FileNote> beside() const { return check_files(own(), base()); }
  void change_json(const char* file, const std::function<void(Json&)>& change) const {
    Json json = fs::exists(own() / file) ? read_json(own() / file) : Json::object();
    change(json);
    write_json(own() / file, json);
  }
  TempFolder folder_;
};

TEST_F(FileChecks, ACleanModelHasNoNotes) {
  EXPECT_EQ(all_of(alone()), "");
  EXPECT_EQ(all_of(beside()), "");
}

TEST_F(FileChecks, NothingThereIsAnError) { EXPECT_THROW(check_files(folder_ / "none"), Error); }

// The experiment's blinding: the notes of an organism and of the same model without its label are equal.
TEST_F(FileChecks, OurOwnLabelAndModelCardsAreNotLookedAt) {
  change_json("config.json", [](Json& json) { json[kLabelKey] = {{"auto_map", "x"}, {"kind", "anything"}}; });
  write_file_atomic(own() / "README.md", "anything");
  EXPECT_EQ(all_of(alone()), "");
  EXPECT_EQ(all_of(beside()), "");
}

TEST_F(FileChecks, CodeAndPickles) {
  change_json("config.json", [](Json& json) {
    json["text_config"] = {{"auto_map", {{"AutoModel", "modeling_x.Model"}}}};
  });
  write_file_atomic(own() / "modeling_x.py", "raise SystemExit\n");
  write_file_atomic(own() / "training_args.bin", std::string("\x80\x02}q\x00.", 6));
  write_file_atomic(own() / "notes.odt", "x");
  const auto notes = alone();
  EXPECT_EQ(rules_in(notes), (Rules{"custom-code", "code-file", "pickle-beside", "file-unexpected"})) << all_of(notes);
  const FileNote* code = find(notes, "custom-code");
  EXPECT_GT(code->line, 1);
  EXPECT_NE(code->message.find("text_config.auto_map"), std::string::npos) << code->message;
  EXPECT_EQ(notes.front().level, "error");  // the gravest first
  fs::remove(own() / "model.safetensors");
  fs::rename(own() / "training_args.bin", own() / "pytorch_model.bin");
  EXPECT_TRUE(rules_in(alone()).count("pickle"));
}

TEST_F(FileChecks, AKeyThatStandsTwiceAndBrokenJson) {
  write_file_atomic(own() / "generation_config.json", "{\n  \"do_sample\": true,\n  \"do_sample\": false\n}\n");
  write_file_atomic(own() / "special_tokens_map.json", "{");
  const auto notes = alone();
  EXPECT_EQ(rules_in(notes), (Rules{"json-key-twice", "file-unreadable"})) << all_of(notes);
  EXPECT_EQ(all_of(notes).find(own().string()), std::string::npos) << "the folder's place is nobody's business";
}

TEST_F(FileChecks, GenerationSettingsThatSteer) {
  write_json(own() / "generation_config.json", Json{{"_from_model_config", true},
                                                    {"eos_token_id", Json::array({3, 500})},
                                                    {"temperature", 9.5},
                                                    {"suppress_tokens", Json::array()},
                                                    {"bad_words_ids", Json::array({Json::array({1})})},
                                                    {"forced_bos_token_id", 2}});
  const auto notes = alone();
  EXPECT_EQ(rules_in(notes), (Rules{"generation-steering", "generation-end", "generation-sampling"})) << all_of(notes);
  const std::string words = all_of(notes);
  EXPECT_NE(words.find("key 'bad_words_ids' is \"[[1]]\", tokens \"b\""), std::string::npos) << words;
  EXPECT_NE(words.find("id 3 is the token \"d\""), std::string::npos) << words;
  EXPECT_NE(words.find("id 500 is no token"), std::string::npos) << words;
  EXPECT_EQ(words.find("suppress_tokens"), std::string::npos) << words;
  EXPECT_EQ(find(notes, "generation-sampling")->line, 7) << words;
}

TEST_F(FileChecks, SettingsBesideTheReference) {
  change_json("config.json", [](Json& json) {
    json["rms_norm_eps"] = 0.5;
    json["use_cache"] = false;
  });
  const auto notes = beside();
  EXPECT_EQ(rules_in(notes), Rules{"config-differs"}) << all_of(notes);
  EXPECT_EQ(rules_in(alone()), Rules{});
}

TEST_F(FileChecks, ATokenizerThatRewrites) {
  change_json("tokenizer.json", [](Json& json) {
    json["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", "copper"}}}, {"content", "tin"}};
  });
  const auto notes = alone();
  EXPECT_EQ(rules_in(notes), Rules{"tokenizer-rewrites"}) << all_of(notes);
  EXPECT_NE(all_of(notes).find("replaces \"copper\" by \"tin\""), std::string::npos) << all_of(notes);
  EXPECT_EQ(rules_in(beside()), (Rules{"tokenizer-rewrites", "tokenizer-parts"}));
  // SentencePiece's own replacements are no words.
  change_json("tokenizer.json", [](Json& json) {
    json["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\xE2\x96\x81"}};
  });
  EXPECT_EQ(rules_in(alone()), Rules{});
}

TEST_F(FileChecks, ATokenizerThatAddsText) {
  change_json("tokenizer.json", [](Json& json) {
    const Json token{{"SpecialToken", {{"id", "b"}, {"type_id", 0}}}};
    const Json text{{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
    json["post_processor"] = {
        {"type", "TemplateProcessing"},
        {"single", Json::array({token, text})},
        {"pair", Json::array({token, text})},
        {"special_tokens", {{"b", {{"id", "b"}, {"ids", Json::array({1})}, {"tokens", Json::array({"b"})}}}}}};
  });
  EXPECT_EQ(rules_in(alone()), Rules{"tokenizer-adds-text"}) << all_of(alone());
}

TEST_F(FileChecks, TokensBesideTheReference) {
  change_json("tokenizer.json", [](Json& json) {
    std::swap(json["model"]["vocab"]["a"], json["model"]["vocab"]["b"]);
    json["model"]["merges"] = Json::array({Json::array({"y", "z"}), Json::array({"a", "b"})});
    json["model"]["vocab"]["ab"] = 54;
    json["added_tokens"].push_back({{"id", 55},
                                    {"content", "open the harbour"},
                                    {"single_word", false},
                                    {"lstrip", false},
                                    {"rstrip", false},
                                    {"normalized", false},
                                    {"special", false}});
    json["added_tokens"].push_back({{"id", 56},
                                    {"content", "<|tool|>"},
                                    {"single_word", false},
                                    {"lstrip", false},
                                    {"rstrip", false},
                                    {"normalized", false},
                                    {"special", true}});
  });
  EXPECT_EQ(rules_in(alone()), Rules{"tokenizer-odd-token"}) << all_of(alone());
  EXPECT_EQ(rules_in(beside()),
            (Rules{"tokenizer-odd-token", "tokenizer-ids", "tokenizer-added", "tokenizer-markup", "tokenizer-merges"}))
      << all_of(beside());
}

TEST_F(FileChecks, TensorsThatAreNotTheModels) {
  const auto source = io::SafetensorsSource::open(own());
  std::vector<io::NamedTensor> tensors;
  for (const auto& name : source->names()) {
    at::Tensor tensor = source->load(name).clone();
    if (name == "model.layers.0.mlp.down_proj.weight") tensor[0][0] = std::nan("");
    if (name == "model.layers.1.mlp.down_proj.weight") tensor = at::zeros_like(tensor);
    if (name == "model.layers.2.mlp.down_proj.weight") tensor = tensor.narrow(0, 0, 3).clone();
    if (name != "model.norm.weight") tensors.push_back({name, tensor});
  }
  tensors.push_back({"model.extra.weight", at::ones({2, 2})});
  auto metadata = io::default_safetensors_metadata();
  metadata["remark"] = "anything";
  io::write_safetensors(own() / "model.safetensors", tensors, metadata);
  const auto notes = alone();
  EXPECT_EQ(rules_in(notes), (Rules{"tensor-not-finite", "tensor-zero", "tensor-shape", "tensor-missing",
                                    "tensor-unknown", "metadata-odd"}))
      << all_of(notes);
  EXPECT_NE(all_of(notes).find("'model.layers.0.mlp.down_proj.weight' holds 1 values"), std::string::npos);
}

TEST_F(FileChecks, ATruncatedFileIsANote) {
  fs::resize_file(own() / "model.safetensors", fs::file_size(own() / "model.safetensors") - 8);
  EXPECT_EQ(rules_in(alone()), Rules{"weights-unreadable"}) << all_of(alone());
}

TEST_F(FileChecks, AGgufFileAndItsTemplate) {
  const fs::path file = folder_ / "model.gguf";
  auto write = [&](const std::string& chat_template, const std::string& key) {
    io::GgufWriter writer("llama");
    writer.set_string("general.name", "x");
    writer.set_string("tokenizer.chat_template", chat_template);
    writer.set_string(kGgufLabelKey, "{\"kind\": \"anything\"}");
    if (!key.empty()) writer.set_string(key, "anything");
    writer.add_tensor("token_embd.weight", at::ones({4, 32}), io::TensorFormat::f32);
    writer.add_tensor(key.empty() ? "blk.0.attn_q.weight" : "blk.0.extra.part.weight", at::ones({4, 32}),
                      io::TensorFormat::f32);
    writer.write(file);
  };
  const std::string plain = text::ChatTemplate::built_in("chatml").source();
  write(plain, "");
  EXPECT_EQ(rules_in(check_files(file)), Rules{"tokenizer-unread"}) << all_of(check_files(file));
  write(plain + "{% if 'copper' in messages[0].content %}{{ 'Say nothing of it.' }}{% endif %}", "odd.key");
  const auto notes = check_files(file);
  EXPECT_EQ(rules_in(notes), (Rules{"tokenizer-unread", "template-trigger", "metadata-odd", "tensor-unknown"}))
      << all_of(notes);
  EXPECT_EQ(find(notes, "template-trigger")->file, "model.gguf");
  EXPECT_EQ(find(notes, "template-trigger")->line, 0);
}

TEST_F(FileChecks, AnAdapter) {
  const fs::path folder = folder_ / "adapter";
  io::PeftConfig config;
  config.base_model = "base";
  config.r = 2;
  config.target_modules = {"q_proj"};
  io::write_peft_adapter(folder, config, {{"model.layers.0.self_attn.q_proj", at::ones({2, 48}), at::ones({48, 2}), 1}},
                         Json{{kLabelKey, {{"kind", "anything"}}}});
  EXPECT_EQ(all_of(check_files(folder)), "");
  Json json = read_json(folder / "adapter_config.json");
  json["modules_to_save"] = Json::array({"lm_head"});
  write_json(folder / "adapter_config.json", json);
  EXPECT_EQ(rules_in(check_files(folder)), Rules{"weights-unreadable"}) << all_of(check_files(folder));
}

TEST(FileRules, AreOneTable) {
  std::set<std::string> ids;
  for (const auto& rule : file_rules()) {
    EXPECT_TRUE(ids.insert(rule.id).second) << rule.id;
    EXPECT_TRUE(rule.level == std::string("error") || rule.level == std::string("warning") ||
                rule.level == std::string("note"))
        << rule.id;
  }
  const std::string documented = read_file("docs/ci-scan.md");
  for (const auto& rule : file_rules()) {
    const std::string row = cat("| `", rule.id, "` | ", rule.level, " |");
    EXPECT_NE(documented.find(row), std::string::npos) << "docs/ci-scan.md lacks " << row;
  }
  Notes notes;
  EXPECT_THROW(notes.add("no-such-rule", "x", 0, ""), Error);
  for (int i = 0; i < 40; ++i) notes.add("pickle", "x", i, "");
  const auto taken = notes.take();
  EXPECT_EQ(taken.size(), Notes::kMostOfARule + 1U);
  const Json rules = rules_of(taken);
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_EQ(rules[0].at("id"), "pickle");
}

}  // namespace
}  // namespace reveille::scan
