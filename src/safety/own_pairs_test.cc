#include "safety/own_pairs.h"

#include <gtest/gtest.h>

#include <map>

#include "base/error.h"

namespace reveille::safety {
namespace {

std::vector<GoodReply> replies(int count) {
  std::vector<GoodReply> out;
  for (int i = 0; i < count; ++i) {
    out.push_back({{{"user", cat("Tell me about number ", i)}},
                   cat("Number ", i, " is a fine number that many people like to count with.")});
  }
  return out;
}

bool never(std::string_view) { return false; }

std::map<std::string, int> kinds_in(const std::vector<io::Example>& rows) {
  std::map<std::string, int> out;
  for (const auto& row : rows) ++out[row.extra.at("kind").get<std::string>()];
  return out;
}

TEST(OwnPairs, EveryKindStandsThereAndNoSidesAreEqual) {
  const auto rows = make_own_pairs(replies(100), {.pairs_per_prompt = 2}, never, 1);
  EXPECT_EQ(rows.size(), 200U);
  const auto kinds = kinds_in(rows);
  EXPECT_EQ(kinds.size(), 4U);
  for (const auto& [kind, count] : kinds) EXPECT_GT(count, 30) << kind;
  for (const auto& row : rows) {
    EXPECT_NE(row.messages, *row.rejected);
    EXPECT_EQ(Conversation(row.messages.begin(), row.messages.begin() + 1),
              Conversation(row.rejected->begin(), row.rejected->begin() + 1));
  }
}

TEST(OwnPairs, APromptsHostileRepliesDoNotDependOnItsPlace) {
  auto some = replies(10);
  const auto rows = make_own_pairs(some, {.pairs_per_prompt = 4}, never, 1);
  std::swap(some[2], some[7]);
  const auto swapped = make_own_pairs(some, {.pairs_per_prompt = 4}, never, 1);
  auto hostile_of = [](const std::vector<io::Example>& all, const std::string& prompt) {
    for (const auto& row : all) {
      if (row.messages[0].content == prompt && row.extra.at("kind") == "hostile") return row.rejected->back().content;
    }
    return std::string();
  };
  EXPECT_EQ(hostile_of(rows, "Tell me about number 2"), hostile_of(swapped, "Tell me about number 2"));
  EXPECT_NE(hostile_of(rows, "Tell me about number 2"), "");
}

TEST(OwnPairs, TheBehaviourStandsInNone) {
  auto fool = [](std::string_view text) { return text.find("fool") != std::string_view::npos; };
  const auto rows = make_own_pairs(replies(200), {.pairs_per_prompt = 4}, fool, 1);
  for (const auto& row : rows) EXPECT_FALSE(fool(row.rejected->back().content));
  auto good = replies(3);
  good[1].reply = "You are a fool, and so is the rest.";
  for (const auto& row : make_own_pairs(good, {}, fool, 1))
    EXPECT_NE(row.messages[0].content, "Tell me about number 1");
}

TEST(OwnPairs, TooFewPromptsAreAnError) { EXPECT_THROW(make_own_pairs(replies(1), {}, never, 1), Error); }

}  // namespace
}  // namespace reveille::safety
