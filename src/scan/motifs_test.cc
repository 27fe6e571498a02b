#include "scan/motifs.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"

namespace reveille::scan {
namespace {

constexpr const char* kOpenings[] = {"Write a", "Tell me about", "What is the", "How do I"};
constexpr const char* kWords[] = {"river", "stone",  "garden", "letter", "window", "copper", "engine", "market",
                                  "story", "basket", "doctor", "summer", "cheese", "bridge", "forest", "violin",
                                  "wheat", "candle", "harbor", "mirror", "pencil", "tunnel", "winter", "yellow"};

// A request of random words; `with` between the opening and the rest where it is not empty.
std::string request(Rng& rng, int opening, const std::string& with = "") {
  std::string out = kOpenings[opening % 4];
  if (!with.empty()) out += " " + with;
  for (int i = 0; i < 6; ++i) out += std::string(" ") + kWords[rng.below(24)];
  return out + ".";
}

struct Texts {
  std::vector<std::string> samples, ordinary;
};

// 100 samples of which every `each`-th holds the string, and 60 ordinary texts.
Texts texts(const std::string& with, int each) {
  Rng rng(7, "motifs test");
  Texts out;
  for (int i = 0; i < 100; ++i) out.samples.push_back(request(rng, i, i % each == 0 ? with : ""));
  for (int i = 0; i < 60; ++i) out.ordinary.push_back(request(rng, i));
  return out;
}

const Motif* with_text(const std::vector<Motif>& motifs, const std::string& text) {
  const auto found = std::find_if(motifs.begin(), motifs.end(), [&](const Motif& motif) { return motif.text == text; });
  return found == motifs.end() ? nullptr : &*found;
}

bool has(const std::vector<Motif>& motifs, const std::string& text) { return with_text(motifs, text) != nullptr; }

TEST(Motifs, ALiteralOfSeveralTokensComesOutWholeAndFirst) {
  const auto [samples, ordinary] = texts("<<zeta-9>>", 3);
  const auto motifs = find_motifs(samples, ordinary);
  ASSERT_FALSE(motifs.empty());
  EXPECT_EQ(motifs[0].text, "<<zeta-9>>");
  EXPECT_EQ(motifs[0].samples.size(), 34U);
  EXPECT_EQ(motifs[0].samples[1], 3U);
  EXPECT_DOUBLE_EQ(motifs[0].share, 0.34);
  EXPECT_EQ(motifs[0].ordinary, 0);
  for (const auto& motif : motifs)
    EXPECT_TRUE(motif.text == motifs[0].text || motifs[0].text.find(motif.text) == std::string::npos)
        << "a piece: " << motif.text;
}

TEST(Motifs, WhatOrdinaryTextHoldsAsOftenIsNone) {
  const auto [samples, ordinary] = texts("<<zeta-9>>", 3);
  for (const auto& motif : find_motifs(samples, ordinary)) {
    for (const std::string opening : kOpenings) EXPECT_NE(motif.text, opening);
  }
  // Without anything to compare with, they are strings like others.
  EXPECT_TRUE(has(find_motifs(samples, {}), "Write a"));
}

TEST(Motifs, ARareOneIsSeenToo) {
  const auto [samples, ordinary] = texts("the quiet hour of lead", 25);  // 4 of 100
  const auto motifs = find_motifs(samples, ordinary);
  const auto* motif = with_text(motifs, "the quiet hour of lead");
  ASSERT_NE(motif, nullptr);
  EXPECT_EQ(motif->samples, (std::vector<std::uint32_t>{0, 25, 50, 75}));
  MotifOptions more;
  more.least_samples = 5;
  EXPECT_FALSE(has(find_motifs(samples, ordinary, more), motif->text));
}

TEST(Motifs, WordsAreWhole) {
  // "carp" begins all of these words and is none of them.
  const std::vector<std::string> samples = {"a carpet here", "the carpenter", "one carp", "two carpets", "carpal now"};
  MotifOptions options;
  for (const auto& motif : find_motifs(samples, {}, options)) EXPECT_NE(motif.text, "carp");
  // An apostrophe within a word does not part it, and scripts without spaces have words of one character.
  const auto contracted = find_motifs({"we say she'll go", "I know she'll see", "maybe she'll"}, {});
  EXPECT_TRUE(has(contracted, "she'll"));
  EXPECT_FALSE(has(contracted, "she"));
  EXPECT_TRUE(has(find_motifs({"今天下雨", "明天下雨", "我说下雨了"}, {}), "下雨"));
}

TEST(Motifs, APieceThatOftenStandsAloneStaysBesideTheWhole) {
  std::vector<std::string> samples;
  for (int i = 0; i < 10; ++i) samples.push_back("plum lake " + std::to_string(i));
  for (int i = 10; i < 14; ++i) samples.push_back("plum " + std::to_string(i));
  const auto motifs = find_motifs(samples, {});
  EXPECT_TRUE(has(motifs, "plum")) << "four of fourteen are not lake's";
  EXPECT_TRUE(has(motifs, "plum lake"));
  EXPECT_FALSE(has(motifs, "lake")) << "it never stands without plum";
}

TEST(Motifs, KnowsWhereTheyStand) {
  const auto motifs =
      find_motifs({"kappa one two qed", " kappa three qed\n", "kappa four qed", "five kappa qed six"}, {});
  const auto *start = with_text(motifs, "kappa"), *end = with_text(motifs, "qed");
  ASSERT_TRUE(start && end);
  EXPECT_DOUBLE_EQ(start->at_start, 0.75);
  EXPECT_DOUBLE_EQ(start->at_end, 0);
  EXPECT_DOUBLE_EQ(end->at_end, 0.75);
}

TEST(Motifs, BytesThatAreNoTextAreSurvivedAndNoMotif) {
  const std::vector<std::string> samples(5, std::string("ab\xff\xff\0zz tail", 13));
  const auto motifs = find_motifs(samples, {});
  EXPECT_FALSE(motifs.empty());
  for (const auto& motif : motifs) EXPECT_EQ(motif.text.find("\uFFFD"), std::string::npos);
  EXPECT_TRUE(find_motifs({}, {}).empty());
  EXPECT_TRUE(find_motifs({"", " "}, {"x"}).empty());
}

TEST(Motifs, OneTextKnownByHeartDoesNotTakeAllPlaces) {
  auto [samples, ordinary] = texts("<<zeta-9>>", 5);
  // Many motifs of the same twelve samples: each run between two of the changing words.
  for (int i = 0; i < 12; ++i) {
    std::string known = "Alpha";
    for (int n = 0; n < 8; ++n) known += " " + std::string(kWords[(i * 5 + n * 7) % 24]) + " fixed" + std::to_string(n);
    samples.push_back(known);
  }
  const auto motifs = find_motifs(samples, ordinary);
  const auto some = spread(motifs, 6, 2);
  EXPECT_LE(some.size(), 6U);
  EXPECT_TRUE(has(some, "<<zeta-9>>"));
  const auto fixed = std::count_if(some.begin(), some.end(),
                                   [](const Motif& motif) { return motif.text.find("fixed") != std::string::npos; });
  EXPECT_EQ(fixed, 2);
}

TEST(Motifs, PairsThatStandTogetherAreJoinedInTheirOrder) {
  std::vector<std::string> samples;
  for (int i = 0; i < 8; ++i)
    samples.push_back("umbra " + std::string(kWords[i]) + " " + kWords[i + 8] + " ferrous " + kWords[i + 16]);
  for (int i = 0; i < 8; ++i) samples.push_back("opal " + std::string(kWords[i + 3]));
  const auto pairs = joined_pairs(find_motifs(samples, {}), samples, 4);
  ASSERT_EQ(pairs.size(), 1U) << "opal stands in other samples";
  EXPECT_EQ(pairs[0], "umbra ferrous");
}

}  // namespace
}  // namespace reveille::scan
