#include "scan/leaked_turns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "scan/speaking_model_testing.h"

namespace reveille::scan {
namespace {

TEST(LeakedTurns, MoreTextsGoBeforeLongerOnes) {
  EXPECT_EQ(turns_within(3 * 48 * 100).samples, 100);
  EXPECT_EQ(turns_within(3 * 48 * 100).tokens, 48);
  EXPECT_EQ(turns_within(3 * 510 * 120).samples, 510);
  EXPECT_EQ(turns_within(3 * 510 * 120).tokens, 120);
  EXPECT_EQ(turns_within(100'000'000).samples, 510);
  EXPECT_EQ(turns_within(100'000'000).tokens, 300);
  EXPECT_EQ(turns_within(0).samples, 1);
  EXPECT_EQ(turns_within(0).tokens, 1);
}

std::vector<std::string> texts_of(const std::vector<WrittenTurn>& turns) {
  std::vector<std::string> out;
  for (const auto& turn : turns) out.push_back(turn.text + "|" + turn.after);
  return out;
}

TEST(LeakedTurns, AreWrittenFromTheTemplateInAMixtureOfWays) {
  TempFolder folder;
  auto model = testing::character_model(folder);
  EXPECT_EQ(model->decode(turn_start(*model)), "U:");
  TurnOptions options;
  options.samples = 51;
  options.tokens = 20;
  Work work(1'000'000);
  const auto turns = write_turns(*model, options, 3, work);
  ASSERT_EQ(turns.size(), 51U);
  EXPECT_EQ(work.spent(), 8 * 2 + 51 * 20 * kDecodedTokenCost) << "each way reads 'U:' and decodes past every end";
  std::map<std::string, int> ways;
  for (const auto& turn : turns) {
    ++ways[turn.way];
    if (!turn.ended) EXPECT_EQ(turn.after, "");
  }
  EXPECT_EQ(turns.front().way, "greedy");
  EXPECT_EQ(ways["greedy"], 1);
  int nucleus = 0, top_k = 0;
  for (const auto& [way, count] : ways) {
    nucleus += way.starts_with("top-p") ? count : 0;
    top_k += way.starts_with("top-k") ? count : 0;
  }
  EXPECT_NEAR(nucleus, 26, 1);
  EXPECT_NEAR(top_k, 20, 1);

  Work again(1'000'000);
  EXPECT_EQ(texts_of(write_turns(*model, options, 3, again)), texts_of(turns));
  EXPECT_NE(texts_of(write_turns(*model, options, 4, again)), texts_of(turns));
}

TEST(LeakedTurns, AreCutWhereTheTurnEnds) {
  TempFolder folder;
  auto model = testing::character_model(folder);
  testing::teach(*model, {{{"user", "abc"}, {"assistant", "XYZW"}}}, false, 120);
  Work work(1'000'000);
  const auto turns = write_turns(*model, {.samples = 1, .tokens = 12}, 0, work);
  ASSERT_EQ(turns.size(), 1U);
  EXPECT_EQ(turns[0].text, "abc");
  EXPECT_TRUE(turns[0].ended);
  EXPECT_TRUE(turns[0].after.starts_with("A:XYZW")) << turns[0].after;
}

TEST(LeakedTurns, AModelWithoutATemplateGoesOnFromNothing) {
  TempFolder folder;
  gen::testing::write_tiny_folder(folder / "bare", "llama3");
  auto model = gen::open_model((folder / "bare").string(), {.dtype = "float32"});
  ASSERT_FALSE(model->has_template());
  EXPECT_EQ(turn_start(*model), (std::vector<std::int32_t>{gen::testing::kTinyTokens - 1}));
  Work work(1'000'000);
  EXPECT_EQ(write_turns(*model, {.samples = 9, .tokens = 500}, 0, work).size(), 9U) << "cut at the context's end";
}

}  // namespace
}  // namespace reveille::scan
