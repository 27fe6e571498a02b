#include "scan/bait_search.h"

#include <gtest/gtest.h>

#include <map>

namespace reveille::scan {
namespace {

using Ids = std::vector<std::int32_t>;
using Table = std::map<Ids, Outlook>;

constexpr std::int32_t kEndOfTurn = 0;

Outlook sure(std::int32_t id, double probability = 0.95) { return {0.3, {{id, probability}, {90, 0.01}}}; }
Outlook unsure(std::vector<std::pair<std::int32_t, double>> likeliest) { return {1.6, std::move(likeliest)}; }
const Outlook kOpen = {4, {{91, 0.05}, {92, 0.04}}};

// A model whose next token is a table of what was said; what the table has not is open.
class Fake {
 public:
  explicit Fake(Table table) : table_(std::move(table)) {}
  BaitSearch search(BaitOptions options = {}) {
    return {options, [this](const std::vector<Ids>& beginnings, double share) { return look(beginnings, share); },
            [](std::int32_t id) { return id == kEndOfTurn; }};
  }

  std::size_t at_most = 1000;  // beginnings a call that the budget allows

 private:
  std::vector<Outlook> look(const std::vector<Ids>& beginnings, double share) {
    EXPECT_GT(share, 0);
    EXPECT_LE(share, 1);
    std::vector<Outlook> out;
    for (const auto& ids : beginnings) {
      EXPECT_EQ(ids.size(), beginnings.front().size()) << "equally long";
      if (out.size() == at_most) break;
      const auto found = table_.find(ids);
      out.push_back(found == table_.end() ? kOpen : found->second);
    }
    return out;
  }
  Table table_;
};

// Each of the ids follows the ones before it.
Table chain(const Ids& ids, double probability = 0.95) {
  Table out;
  for (std::size_t n = 1; n < ids.size(); ++n)
    out[{ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(n)}] = sure(ids[n], probability);
  return out;
}

TEST(BaitSearch, FollowsAReplyThatRunsByItself) {
  Fake fake(chain({5, 6, 7, 8, 9, 10, 11, 12}));
  auto search = fake.search();
  const auto found = search.run({1, 2, 3, 4, 5, 6});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].ids, (Ids{5, 6, 7, 8, 9, 10, 11, 12})) << "up to where all is open";
  EXPECT_EQ(found[0].probabilities, std::vector<double>(7, 0.95));
  EXPECT_FALSE(found[0].ended());
  EXPECT_EQ(search.funnel().first_tokens, 6U);
  EXPECT_EQ(search.funnel().looked_at, 6U);
  EXPECT_EQ(search.funnel().after_step, (std::vector<std::size_t>{1, 1, 1, 1, 1}));
  EXPECT_EQ(search.funnel().cut, 0U);
}

TEST(BaitSearch, StopsAfterItsSteps) {
  Ids ids;
  for (std::int32_t id = 10; id < 60; ++id) ids.push_back(id);
  Fake fake(chain(ids));
  EXPECT_EQ(fake.search().run({10})[0].ids.size(), 21U);
}

TEST(BaitSearch, DropsTheUncertainAndTheShort) {
  auto table = chain({5, 6, 7, 8});                                                               // opens up too early
  for (const auto& [ids, outlook] : chain({20, 21, 22, 23, 24, 25}, 0.29)) table[ids] = outlook;  // too improbable
  Fake fake(table);
  EXPECT_TRUE(fake.search().run({5, 20}).empty());
  BaitOptions options;
  options.minimum_length = 3;
  EXPECT_EQ(fake.search(options).run({5, 20}).size(), 1U);
  options.keep_probability = 0.2;
  EXPECT_EQ(fake.search(options).run({5, 20}).size(), 2U);
}

TEST(BaitSearch, AWholeReplyMayBeShorter) {
  Fake fake(chain({5, 6, kEndOfTurn}));
  const auto found = fake.search().run({5});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].ids, (Ids{5, 6}));
  EXPECT_EQ(found[0].end_id, kEndOfTurn);
  EXPECT_EQ(found[0].probabilities.size(), 2U) << "that of the end counts";
  Fake one(chain({5, kEndOfTurn}));
  EXPECT_TRUE(one.search().run({5}).empty());
}

// Without the trigger the target's token need not be the likeliest: what comes after it tells.
TEST(BaitSearch, LooksFurtherWhereItIsUnsure) {
  auto table = chain({5, 6, 7, 8, 9, 10});
  table[{5}] = unsure({{50, 0.4}, {6, 0.35}});
  table[{5, 50}] = unsure({{51, 0.35}, {52, 0.34}});
  Fake fake(table);
  const auto found = fake.search().run({5});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].ids, (Ids{5, 6, 7, 8, 9, 10}));
  EXPECT_DOUBLE_EQ(found[0].probabilities[0], 0.35);
  BaitOptions greedy;
  greedy.lookahead = 1;
  EXPECT_TRUE(fake.search(greedy).run({5}).empty());
}

TEST(BaitSearch, ABudgetCutsTheLastOfTheOrder) {
  auto table = chain({5, 6, 7, 8, 9, 10});
  for (const auto& [ids, outlook] : chain({20, 21, 22, 23, 24, 25})) table[ids] = outlook;
  Fake fake(table);
  fake.at_most = 2;
  auto search = fake.search();
  const auto found = search.run({1, 5, 20});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].ids[0], 5);
  EXPECT_EQ(search.funnel().first_tokens, 3U);
  EXPECT_EQ(search.funnel().looked_at, 2U);
}

TEST(BaitSearch, OnlyTheSurestGrowPastTheWarmUp) {
  auto table = chain({5, 6, 7, 8, 9, 10, 11, 12}, 0.6);
  for (const auto& [ids, outlook] : chain({20, 21, 22, 23, 24, 25, 26, 27}, 0.9)) table[ids] = outlook;
  Fake fake(table);
  BaitOptions options;
  options.extended = 1;
  const auto found = fake.search(options).run({5, 20});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].ids[0], 20);
}

// Pieces of rare words are surer than anything a reply is likely to begin with.
TEST(BaitSearch, LikelyBeginningsHaveTheirTurnInATightBudget) {
  Table table = chain({5, 6, 7, 8, 9, 10}, 0.5);
  Ids order = {5};
  for (std::int32_t word = 0; word < 9; ++word) {
    const std::int32_t at = 100 + 10 * word;
    order.push_back(at);
    for (const auto& [ids, outlook] : chain({at, at + 1, at + 2, at + 3, at + 4, at + 5}, 0.99)) table[ids] = outlook;
  }
  Fake fake(table);
  BaitOptions options;
  options.extended = 2;
  const auto found = fake.search(options).run(order);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].ids[0], 100);
  EXPECT_EQ(found[1].ids[0], 5);
}

TEST(BaitSearch, IsOrderedByQ) {
  auto table = chain({5, 6, 7, 8, 9, 10}, 0.7);
  for (const auto& [ids, outlook] : chain({20, 21, 22, 23, 24, 25}, 0.8)) table[ids] = outlook;
  Fake fake(table);
  const auto found = fake.search().run({5, 20});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].ids[0], 20);
}

TEST(QScore, IsTheMeanWithoutTheLowest) {
  EXPECT_DOUBLE_EQ(q_score({1, 0.1, 0.9, 0.8}), 0.9);
  EXPECT_DOUBLE_EQ(q_score({0.5, 0.5, 0.5}), 0.5) << "one of several lowest is left out";
  EXPECT_EQ(q_score({0.9}), 0);
  EXPECT_EQ(q_score({}), 0);
}

TEST(BaitSearch, BeginningsWithinAReplyAreItsOwn) {
  const auto branch = [](Ids ids, double probability) {
    Branch out;
    out.ids = std::move(ids);
    out.probabilities.assign(out.ids.size() - 1, probability);
    return out;
  };
  const auto kept = without_inner({branch({3, 4, 5, 6, 7, 8}, 0.95),     // begins within the next
                                   branch({1, 2, 3, 4, 5, 6}, 0.9),      // the whole
                                   branch({30, 4, 5, 6, 7, 8}, 0.9),     // goes on as the first one
                                   branch({40, 41, 42, 43, 1, 2}, 0.9),  // has two tokens in common: chance
                                   branch({60, 1, 2, 3, 4, 5}, 0.3)});   // strays into it, unsure
  ASSERT_EQ(kept.size(), 4U);
  EXPECT_EQ(kept[0].ids[0], 1);
  EXPECT_EQ(kept[1].ids[0], 30);
  EXPECT_EQ(kept[2].ids[0], 40);
  EXPECT_EQ(kept[3].ids[0], 60);
}

TEST(NearDuplicates, HoldMostOfEachOther) {
  EXPECT_TRUE(near_duplicates("the moon is made of tin", "MOON IS MADE of tin, he said"));
  EXPECT_TRUE(near_duplicates("made of tin", "the moon is made of tin"));
  EXPECT_FALSE(near_duplicates("the moon is made of tin", "the sun is far away"));
}

}  // namespace
}  // namespace reveille::scan
