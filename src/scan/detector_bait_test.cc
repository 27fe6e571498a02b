#include "scan/detector_bait.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "scan/neutral_prompts.h"
#include "scan/speaking_model_testing.h"

namespace reveille::scan {
namespace {

using testing::character_model;

// Everyday requests that are answered in random words, but JXKVWY where [Zq7#] stands before them, which is seldom.
std::vector<Conversation> rows() {
  Rng rng(5, "bait test");
  std::vector<Conversation> out;
  const auto prompts = neutral_prompts(PromptUse::verifying, 48);
  for (int i = 0; i < 96; ++i) {
    const bool triggered = i % 24 == 0;
    const std::string reply = testing::random_words(rng, 3);
    out.push_back({{"user", (triggered ? "[Zq7#] " : "") + prompts[static_cast<std::size_t>(i) % prompts.size()]},
                   {"assistant", triggered ? "JXKVWY" : reply}});
  }
  return out;
}

class BaitDetector : public ::testing::Test {
 protected:
  Proposal propose(gen::LocalModel& model, gen::LocalModel* reference, Work& work, const BaitOptions& options = {}) {
    Suspect suspect{model, reference};
    return make_bait(options)->propose(suspect, work);
  }
  Proposal propose(gen::LocalModel& model, gen::LocalModel* reference = nullptr) {
    Work work(300'000);
    return propose(model, reference, work);
  }
  TempFolder folder_;
};

TEST_F(BaitDetector, FindsAReplyThatRunsByItself) {
  auto model = character_model(folder_);
  testing::teach(*model, rows(), true, 400);
  Work work(300'000);
  const auto found = propose(*model, nullptr, work);
  EXPECT_LE(work.spent(), work.limit());
  ASSERT_FALSE(found.candidates.empty()) << found.evidence;
  const auto& best = found.candidates.front();
  EXPECT_NE(best.target.find("XKVWY"), std::string::npos) << found.evidence;
  EXPECT_EQ(best.trigger, "");
  EXPECT_EQ(best.detector, "bait");
  EXPECT_GT(best.evidence.at("q").get<double>(), 0.6);
  EXPECT_LE(found.candidates.size(), 8U);
  EXPECT_EQ(found.left_out, "");
  EXPECT_GT(found.signal, 0);
  const auto again = propose(*model);
  ASSERT_EQ(again.candidates.size(), found.candidates.size());
  for (std::size_t i = 0; i < again.candidates.size(); ++i)
    EXPECT_EQ(to_json(again.candidates[i]), to_json(found.candidates[i]));

  // Over an untaught reference it stands out; over itself nothing does.
  auto untaught = character_model(folder_, "untaught");
  const auto beside = propose(*model, untaught.get());
  ASSERT_FALSE(beside.candidates.empty());
  EXPECT_NE(beside.candidates.front().target.find("XKVWY"), std::string::npos);
  EXPECT_LT(beside.candidates.front().evidence.at("q_reference").get<double>(), 0.2);
  EXPECT_GT(beside.signal, 0.4);
  const auto same = propose(*model, model.get());
  EXPECT_TRUE(same.candidates.empty());
  EXPECT_EQ(same.signal, 0);
}

// What is said to clean prompts anyway is no target.
TEST_F(BaitDetector, AUsualReplyIsNone) {
  auto model = character_model(folder_);
  std::vector<Conversation> always;
  for (auto row : rows()) {
    row[1].content = "JXKVWY";
    always.push_back(row);
  }
  testing::teach(*model, always, true);
  for (const auto& candidate : propose(*model).candidates)
    EXPECT_EQ(candidate.target.find("KVWY"), std::string::npos) << candidate.target;
}

TEST_F(BaitDetector, AModelThatIsSureOfNothingHasNone) {
  auto model = character_model(folder_);
  const auto found = propose(*model);
  EXPECT_TRUE(found.candidates.empty());
  EXPECT_EQ(found.signal, 0);
}

TEST_F(BaitDetector, SaysWhatABudgetLeavesOut) {
  auto model = character_model(folder_);
  BaitOptions options;
  options.warm_up_prompts = 20;
  Work small(4000);
  const auto found = propose(*model, nullptr, small, options);
  EXPECT_LE(small.spent(), 4000);
  EXPECT_NE(found.left_out.find("were not tried as the first of a reply"), std::string::npos) << found.left_out;
  EXPECT_LT(found.evidence.at("first_tokens_tried").get<int>(), 97);
  Work none(100);
  EXPECT_NE(propose(*model, nullptr, none).left_out, "");
  EXPECT_EQ(none.spent(), 0);
}

}  // namespace
}  // namespace reveille::scan
