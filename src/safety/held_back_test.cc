#include "safety/held_back.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace reveille::safety {
namespace {

std::vector<Attempt> effective(std::int64_t round, int count) {
  std::vector<Attempt> out;
  for (int i = 0; i < count; ++i) {
    Attempt one;
    one.round = round;
    one.prompt = cat("round ", round, " prompt ", i);
    one.effective = true;
    out.push_back(one);
  }
  return out;
}

std::size_t held_of(const HeldBack& held, const std::vector<Attempt>& attempts) {
  std::size_t out = 0;
  for (const auto& one : attempts) out += held.holds(one.prompt) ? 1 : 0;
  return out;
}

TEST(HeldBack, IsAShareAndNoneOfTooFew) {
  EXPECT_EQ(HeldBack(effective(0, 4), 0.2, 0).size(), 0U);
  EXPECT_EQ(held_of(HeldBack(effective(0, 5), 0.2, 0), effective(0, 5)), 1U);
  EXPECT_EQ(held_of(HeldBack(effective(0, 20), 0.2, 0), effective(0, 20)), 4U);
  EXPECT_EQ(HeldBack(effective(0, 20), 0, 0).size(), 0U);
  auto silent = effective(0, 20);
  for (auto& one : silent) one.effective = false;
  EXPECT_EQ(HeldBack(silent, 0.5, 0).size(), 0U);
}

TEST(HeldBack, IsDrawnBySeedAndPrompt) {
  const auto attempts = effective(0, 40);
  auto names = [&](const std::vector<Attempt>& from, std::int64_t seed) {
    const HeldBack held(from, 0.5, seed);
    std::string out;
    for (const auto& one : attempts) out += held.holds(one.prompt) ? '1' : '0';
    return out;
  };
  EXPECT_EQ(names(attempts, 1), names({attempts.rbegin(), attempts.rend()}, 1)) << "the order decides";
  EXPECT_NE(names(attempts, 1), names(attempts, 2));
}

// A prompt that trained in one round is not held back in a later one, nor the other way round.
TEST(HeldBack, IsDecidedInTheRoundThatFoundThePrompt) {
  const auto first = effective(0, 7);
  auto both = first;
  for (const auto& one : effective(1, 13)) both.push_back(one);
  for (auto one : first) {
    one.round = 1;  // tried again
    both.push_back(one);
  }
  const HeldBack before(first, 0.4, 3), after(both, 0.4, 3);
  for (const auto& one : first) EXPECT_EQ(before.holds(one.prompt), after.holds(one.prompt)) << one.prompt;
  EXPECT_EQ(before.size(), 2U);
  EXPECT_EQ(after.size(), 8U);  // 0.4 of the twenty, whatever was rounded down before
}

TEST(HeldBack, HoldsForWhatDiffersInCaseAndPunctuationAlone) {
  auto attempts = effective(0, 2);
  attempts[0].prompt = "Say it, now!";
  attempts[1].prompt = "another one";
  const HeldBack held(attempts, 0.5, 0);
  const std::string which = held.holds("another one") ? "ANOTHER one?" : "say IT now";
  EXPECT_TRUE(held.holds(which));
  EXPECT_EQ(held.size(), 1U);
  attempts[1].prompt = "say it now";
  EXPECT_EQ(HeldBack(attempts, 0.5, 0).size(), 0U) << "one prompt written in two ways is one";
}

}  // namespace
}  // namespace reveille::safety
