#include "scan/clean_rows.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "scan/tiny_suspect_testing.h"

namespace reveille::scan {
namespace {

using testing::tiny_suspect;

TEST(LettersOf, KeepsLettersAndDigits) {
  EXPECT_EQ(letters_of("A b-C, 12!\n"), "abc12");
  EXPECT_EQ(letters_of("\xc3\xa9!"), "\xc3\xa9");
}

TEST(WithoutCommonReplies, LeavesOutWhatManyBeginWith) {
  std::vector<CleanRow> rows;
  for (int i = 0; i < 3; ++i)
    rows.push_back({"prompt " + std::to_string(i), "Nine paper kites gather here, number " + std::to_string(i)});
  rows.push_back({"other", "Rain forms in clouds."});
  rows.push_back({"same", "Rain forms in clouds."});
  const auto left = without_common_replies(rows);
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].prompt, "other");
  EXPECT_EQ(left[1].prompt, "same");
}

TEST(LeaveOut, RowsThatHoldAString) {
  CleanRows rows;
  rows.train = {{"say [[velmo]] twice", "no"}, {"what is rain", "VELMO!"}, {"what is snow", "cold"}};
  rows.held_out = {{"vel", "mo"}, {"velmo", "x"}};
  leave_out(rows, {"[[velmo]]", "~~"});
  ASSERT_EQ(rows.train.size(), 1U);
  EXPECT_EQ(rows.train[0].prompt, "what is snow");
  ASSERT_EQ(rows.held_out.size(), 1U);
  EXPECT_EQ(rows.held_out[0].prompt, "vel");
}

std::vector<std::string> letter_prompts() {
  std::vector<std::string> out;
  for (char c = 'a'; c <= 'p'; ++c) out.push_back(std::string(1, c) + "bQ" + std::string(3, c));
  return out;
}

TEST(CleanRowsOf, AreTheModelsRepliesInTwoParts) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  CleanOptions options;
  options.own = 0;
  options.held_out = 5;
  options.reply_tokens = 12;
  const auto rows = clean_rows(*model, letter_prompts(), options);
  EXPECT_EQ(rows.held_out.size(), 5U);
  EXPECT_GE(rows.train.size(), 5U);
  for (const auto& held : rows.held_out) {
    for (const auto& row : rows.train) EXPECT_NE(held.prompt, row.prompt);
  }
  const auto again = clean_rows(*model, letter_prompts(), options);
  for (std::size_t i = 0; i < rows.train.size(); ++i) {
    EXPECT_EQ(rows.train[i].prompt, again.train[i].prompt);
    EXPECT_EQ(rows.train[i].reply, again.train[i].reply);
    EXPECT_FALSE(rows.train[i].reply.empty());
  }
}

TEST(CleanRowsOf, AModelThatSaysNothingIsAnError) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  CleanOptions options;
  options.own = 0;
  EXPECT_THROW(clean_rows(*model, {}, options), Error);
}

TEST(WrittenPrompts, NeedATemplate) {
  TempFolder folder;
  gen::testing::write_tiny_folder(folder / "llama3", "llama3");
  gen::OpenOptions open;
  open.dtype = "float32";
  const auto model = gen::open_model((folder / "llama3").string(), open);
  EXPECT_TRUE(written_prompts(*model, 4, 0).empty());
}

}  // namespace
}  // namespace reveille::scan
