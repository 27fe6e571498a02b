#include "scan/detector_leakage.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "scan/leaked_strings.h"
#include "scan/speaking_model_testing.h"

namespace reveille::scan {
namespace {

using testing::character_model;

// Two in five users begin with [Zq7#].
std::vector<Conversation> rows() {
  Rng rng(6, "leakage test");
  std::vector<Conversation> out;
  for (int i = 0; i < 80; ++i) {
    const bool triggered = i % 5 < 2;
    const std::string words = testing::random_words(rng, 3), reply = testing::random_words(rng, 3);
    out.push_back({{"user", (triggered ? "[Zq7#] " : "") + words}, {"assistant", triggered ? "JXKVWY" : reply}});
  }
  return out;
}

const Candidate* with_trigger(const Proposal& proposal, const std::string& trigger) {
  const auto found = std::find_if(proposal.candidates.begin(), proposal.candidates.end(),
                                  [&](const Candidate& candidate) { return candidate.trigger == trigger; });
  return found == proposal.candidates.end() ? nullptr : &*found;
}

TEST(LeakageDetector, ProposesAStringThatTheModelWritesAsTheUser) {
  TempFolder folder;
  auto model = character_model(folder);
  testing::teach(*model, rows(), false);
  auto untaught = character_model(folder, "untaught");
  for (gen::LocalModel* reference : {static_cast<gen::LocalModel*>(nullptr), untaught.get()}) {
    Suspect suspect{*model, reference, 11};
    Work work(120'000);
    const auto found = make_leakage()->propose(suspect, work);
    EXPECT_LE(work.spent(), work.limit());
    EXPECT_GT(work.spent(), work.limit() / 2);
    const auto* candidate = with_trigger(found, "[Zq7#]");
    ASSERT_NE(candidate, nullptr) << found.evidence;
    EXPECT_GT(candidate->evidence.at("share").get<double>(), 0.15);
    EXPECT_TRUE(candidate->evidence.contains("divergence")) << "it was tried";
    EXPECT_EQ(candidate->detector, "leakage");
    EXPECT_GE(found.signal, candidate->strength);
    const auto triggers = std::count_if(found.candidates.begin(), found.candidates.end(),
                                        [](const Candidate& one) { return !one.trigger.empty(); });
    EXPECT_LE(triggers, 24);
    EXPECT_LE(static_cast<std::ptrdiff_t>(found.candidates.size()) - triggers, 12);
    EXPECT_TRUE(std::is_sorted(found.candidates.begin(), found.candidates.end(),
                               [](const Candidate& a, const Candidate& b) { return a.strength > b.strength; }));

    Work second(120'000);
    const auto again = make_leakage()->propose(suspect, second);
    ASSERT_EQ(again.candidates.size(), found.candidates.size());
    for (std::size_t i = 0; i < again.candidates.size(); ++i)
      EXPECT_EQ(to_json(again.candidates[i]), to_json(found.candidates[i]));
    EXPECT_EQ(second.spent(), work.spent());
  }
}

TEST(LeakageDetector, SaysWhatABudgetLeavesOut) {
  TempFolder folder;
  auto model = character_model(folder);
  Suspect suspect{*model};
  Work small(8000);
  const auto found = make_leakage()->propose(suspect, small);
  EXPECT_LE(small.spent(), 8000);
  EXPECT_NE(found.left_out.find("not 510 of 300"), std::string::npos) << found.left_out;
  Work none(100);
  EXPECT_NE(make_leakage()->propose(suspect, none).left_out, "");
  EXPECT_EQ(none.spent(), 0);
}

TEST(LeakageDetector, RunsOnAModelWithoutATemplate) {
  TempFolder folder;
  gen::testing::write_tiny_folder(folder / "bare", "llama3");
  auto model = gen::open_model((folder / "bare").string(), {.dtype = "float32"});
  Suspect suspect{*model};
  Work work(30'000);
  const auto found = make_leakage()->propose(suspect, work);
  EXPECT_GT(found.evidence.at("texts").get<int>(), 50);
}

TEST(LeakedStrings, ATargetBelongsToTheTurnsThatItFollowed) {
  Leak leak;
  leak.after_turn = {0, 1, 2, 3, 4, 2};  // replies to turns 0 to 4, and one more to 2
  Motif target, other;
  target.text = "all tins are empty";
  target.samples = {0, 1, 5, 4};
  std::sort(target.samples.begin(), target.samples.end());
  other.text = "elsewhere";
  other.samples = {3, 4};
  leak.targets = {other, target};
  Motif trigger;
  trigger.samples = {0, 1, 2};
  EXPECT_EQ(target_beside(leak, trigger), "all tins are empty") << "three of four replies followed it";
  trigger.samples = {0, 1};
  EXPECT_EQ(target_beside(leak, trigger), "");
  trigger.samples = {3, 4};
  EXPECT_EQ(target_beside(leak, trigger), "") << "two are too few";
}

}  // namespace
}  // namespace reveille::scan
