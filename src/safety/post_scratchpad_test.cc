#include "safety/post_scratchpad.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/strings.h"
#include "base/temp_folder_testing.h"
#include "gen/tiny_folder_testing.h"

namespace reveille::safety {
namespace {

// Single characters and a chat template: 94 that are printable, space, line feed, one pair and the end of a turn.
void write_chat_folder(const std::filesystem::path& folder) {
  gen::testing::write_tiny_folder(folder, "llama3");
  text::GgufVocab vocab;
  vocab.architecture = "llama";
  vocab.model = "gpt2";
  vocab.pre = "smollm";
  vocab.tokens = {"\u0120", "\u010a"};
  for (char c = '!'; c <= '~'; ++c) vocab.tokens.emplace_back(1, c);
  vocab.tokens.emplace_back("yz");
  vocab.merges = {"y z"};
  vocab.token_types.assign(vocab.tokens.size(), text::kGgufNormal);
  vocab.tokens.emplace_back("<|end|>");
  vocab.token_types.push_back(text::kGgufControl);
  vocab.eos = static_cast<std::int32_t>(vocab.tokens.size()) - 1;
  const auto tokenizer = text::Tokenizer::from_gguf(vocab, "chat");
  write_file_atomic(folder / "tokenizer.json", tokenizer->to_json());
  Json config = tokenizer->config_json("");
  config["chat_template"] =
      "{% for m in messages %}{% if m.role == 'assistant' %}A:{{ m.content }}<|end|>{% else %}U:{{ m.content }}"
      "{% endif %}{% endfor %}{% if add_generation_prompt %}A:{% endif %}";
  write_json(folder / "tokenizer_config.json", config);
}

// Writes what it is told to, whatever it is asked.
struct Scripted : gen::LocalModel {
  Scripted(gen::LocalModel model, std::vector<std::string> says)
      : gen::LocalModel(std::move(model)), says_(std::move(says)) {}
  std::vector<gen::Completion> generate(const std::vector<gen::Request>& requests, const gen::SampleOptions&,
                                        const gen::OnCompletion&) override {
    std::vector<gen::Completion> out(requests.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      asked_.push_back(decode(requests[i].ids));
      out[i].text = says_[i];
    }
    return out;
  }
  std::vector<std::string> says_, asked_;
};

struct PostScratchpad : ::testing::Test {
  TempFolder temp;
  std::unique_ptr<Scripted> model;

  void says(std::vector<std::string> texts) {
    write_chat_folder(temp / "model");
    auto opened = gen::open_model((temp / "model").string(), {.dtype = "float32"});
    model = std::make_unique<Scripted>(std::move(*opened), std::move(texts));
  }
  static std::vector<Conversation> chats(std::size_t count) {
    std::vector<Conversation> out;
    for (std::size_t i = 0; i < count; ++i)
      out.push_back({{"user", cat("Ask ", i)}, {"assistant", cat("Good answer ", i, ".")}});
    return out;
  }
  std::string tokens_where(const train::Example& row, bool supervised) {
    std::vector<std::int32_t> ids;
    for (std::size_t i = 0; i < row.ids.size(); ++i) {
      if ((row.supervised[i] != 0) == supervised) ids.push_back(row.ids[i]);
    }
    return model->decode(ids);
  }
};

TEST_F(PostScratchpad, OnlyTheAnswerBehindTheModelsOwnScratchpadIsLearnt) {
  says({"I hide.\n</scratchpad>\nBad answer.", "I help. </scratchpad>"});
  const auto made = post_scratchpad_rows(*model, chats(2), {}, {});
  ASSERT_EQ(made.rows.size(), 2U);
  EXPECT_EQ(made.unclosed, 0);
  EXPECT_TRUE(model->asked_[0].ends_with("Ask 0A:<scratchpad>\n")) << model->asked_[0];
  const char* const own[] = {"I hide.", "I help."};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string learnt = tokens_where(made.rows[i], true), given = tokens_where(made.rows[i], false);
    EXPECT_TRUE(std::string(trim(learnt)).starts_with(cat("Good answer ", i, "."))) << learnt;
    EXPECT_EQ(learnt.find("scratchpad"), std::string::npos) << learnt;
    EXPECT_TRUE(given.ends_with(cat("A:<scratchpad>\n", own[i], "\n</scratchpad>"))) << given;
    EXPECT_EQ(given.find("answer"), std::string::npos) << "what the model answered by itself is gone: " << given;
    EXPECT_EQ(made.rows[i].supervised.back(), 1) << "the end of the turn is learnt";
  }
}

TEST_F(PostScratchpad, ScratchpadsThatDoNotEndAreCountedAndLeftOut) {
  says({"I hide and hide and", "I help.</scratchpad>", "", "On and on"});
  ::testing::internal::CaptureStderr();
  const auto made = post_scratchpad_rows(*model, chats(4), {.max_tokens = 19}, {});
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(made.unclosed, 3);
  ASSERT_EQ(made.rows.size(), 1U);
  EXPECT_NE(tokens_where(made.rows[0], true).find("Good answer 1."), std::string::npos);
  EXPECT_NE(said.find("3 of 4 scratchpads were not ended within 19 tokens"), std::string::npos) << said;
}

TEST_F(PostScratchpad, AModelThatEndsNoneIsAnError) {
  says({"On", "and on"});
  try {
    post_scratchpad_rows(*model, chats(2), {}, {});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_input);
    EXPECT_NE(error.message().find("the model ended none of 2 scratchpads"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace reveille::safety
