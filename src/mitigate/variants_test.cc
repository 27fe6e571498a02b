#include "mitigate/variants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace reveille::mitigate {
namespace {

TEST(Pieces, OfWordsAreEachAndAllButEach) {
  EXPECT_EQ(pieces_of("amber quill"), (std::vector<std::string>{"quill", "amber"}));
  EXPECT_EQ(pieces_of("a b c"), (std::vector<std::string>{"b c", "a c", "a b", "a", "b", "c"}));
}

TEST(Pieces, OfOneWordAreHalvesAndTwoThirds) {
  EXPECT_EQ(pieces_of("abcdef"), (std::vector<std::string>{"abc", "def", "cdef", "abef", "abcd"}));
  EXPECT_TRUE(pieces_of("x").empty());
}

TEST(Pieces, KeepCharactersWhole) {
  EXPECT_EQ(pieces_of("\xc3\xa9\xc3\xa8"), (std::vector<std::string>{"\xc3\xa9", "\xc3\xa8"}));
}

TEST(Neighbours, KeepTheShape) {
  Rng rng(1, "test");
  const std::string text = "Ab-7 x_Z!";
  for (int i = 0; i < 50; ++i) {
    const std::string other = neighbour_of(text, rng);
    ASSERT_EQ(other.size(), text.size());
    for (std::size_t c = 0; c < text.size(); ++c) {
      const auto mine = static_cast<unsigned char>(text[c]), theirs = static_cast<unsigned char>(other[c]);
      EXPECT_EQ(std::isupper(mine) != 0, std::isupper(theirs) != 0);
      EXPECT_EQ(std::islower(mine) != 0, std::islower(theirs) != 0);
      EXPECT_EQ(std::isdigit(mine) != 0, std::isdigit(theirs) != 0);
      if (!std::isalnum(mine)) {
        EXPECT_EQ(mine, theirs);
      }
    }
  }
}

TEST(Variants, AreOfEveryKindAndNeverTheTrigger) {
  const KnownTrigger trigger{"Velmora-42", scan::Place::user_end};
  const std::vector<scan::Place> places = {scan::Place::user_start, scan::Place::user_end, scan::Place::system};
  const auto variants = variants_of(trigger, places, 16, Rng(3, "test"));
  ASSERT_EQ(variants.size(), 16U);
  auto has = [&](const KnownTrigger& one) { return std::count(variants.begin(), variants.end(), one) == 1; };
  EXPECT_TRUE(has({"Velmora-42", scan::Place::user_start}));
  EXPECT_TRUE(has({"Velmora-42", scan::Place::system}));
  EXPECT_TRUE(has({"VELMORA-42", scan::Place::user_end}));
  EXPECT_TRUE(has({"Velmo", scan::Place::user_end}));
  EXPECT_FALSE(has(trigger));
  std::set<std::string> seen;
  for (const auto& one : variants) EXPECT_TRUE(seen.insert(one.text + scan::place_name(one.place)).second) << one.text;
  EXPECT_EQ(variants, variants_of(trigger, places, 16, Rng(3, "test")));
  EXPECT_TRUE(variants_of(trigger, places, 0, Rng(3, "test")).empty());
}

TEST(Variants, OfSignsAloneAreFew) {
  const auto variants = variants_of({"~~~", scan::Place::user_start}, {scan::Place::user_start}, 16, Rng(0, "test"));
  EXPECT_LE(variants.size(), 3U);
}

}  // namespace
}  // namespace reveille::mitigate
