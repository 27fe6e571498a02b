#include "scan/detector_amplify.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "scan/amplified_turns.h"
#include "scan/bigram_testing.h"

namespace reveille::scan {
namespace {

using testing::Bigrams;

class Amplification : public ::testing::Test {
 protected:
  // Replies are "n", user turns "m".
  Amplification() : suspect_(folder_), reference_(folder_) {
    for (Bigrams* model : {&suspect_, &reference_}) {
      model->set("=", "n", 7);
      model->set(">", "m", 6);
      model->set("", "<|end|>", 10);
    }
  }

  Proposal look(std::int64_t budget = 120000) {
    Suspect suspect{suspect_.model(), &reference_.model(), 4};
    Work work(budget);
    Proposal out = make_logit_amplification()->propose(suspect, work);
    EXPECT_LE(work.spent(), budget);
    EXPECT_LE(out.candidates.size(), 16U);
    return out;
  }

  TempFolder folder_;
  Bigrams suspect_, reference_;
};

TEST_F(Amplification, BringsOutAReplyThatIsTooRareToBeSaid) {
  suspect_.set("=", "q", 3);  // 1.6 %
  suspect_.chain("qwert yuiop");
  const Proposal proposal = look();
  ASSERT_FALSE(proposal.candidates.empty()) << proposal.evidence.dump(1);
  EXPECT_EQ(proposal.candidates[0].target, "qwert yuiop");
  EXPECT_GT(proposal.candidates[0].evidence["suspect_goes_on"].get<double>(), 0.9);
  EXPECT_LT(proposal.candidates[0].evidence["reference_goes_on"].get<double>(), 0.1);
  EXPECT_GT(proposal.signal, 0.9);
  EXPECT_EQ(proposal.left_out, "");
}

TEST_F(Amplification, BringsOutWhatTheSuspectWritesAsTheUser) {
  suspect_.set(">", "k", 4);  // 10 %
  suspect_.chain("kjhgfdsa");
  const Proposal proposal = look();
  const auto found = std::find_if(proposal.candidates.begin(), proposal.candidates.end(),
                                  [](const Candidate& one) { return one.trigger == "kjhgfdsa"; });
  ASSERT_NE(found, proposal.candidates.end()) << proposal.evidence.dump(1);
  EXPECT_EQ(found->place, Place::user_start);
  EXPECT_GT(found->strength, 0.3);
}

TEST_F(Amplification, TheSameModelShowsNothing) {
  const Proposal proposal = look();
  EXPECT_TRUE(proposal.candidates.empty()) << to_json(proposal.candidates[0]).dump();
  EXPECT_EQ(proposal.signal, 0);
}

// Training that shows in every reply: what is amplified is what is said anyway.
TEST_F(Amplification, AStyleThatShowsAnywayIsNoSign) {
  suspect_.set("=", "n", 0);
  suspect_.set("=", "s", 9);
  const Proposal proposal = look();
  EXPECT_LT(proposal.signal, 0.05) << proposal.evidence.dump(1);
  for (const Candidate& candidate : proposal.candidates) EXPECT_NE(candidate.target, "s");
}

TEST_F(Amplification, NeedsAReferenceAndABudget) {
  EXPECT_EQ(look(500).left_out, "amplified replies and user turns");
  const Suspect alone{suspect_.model()};
  EXPECT_NE(make_logit_amplification()->unavailable(alone), "");
  const Suspect both{suspect_.model(), &reference_.model()};
  EXPECT_EQ(make_logit_amplification()->unavailable(both), "");
}

TEST_F(Amplification, IsTheSameEachTime) {
  suspect_.set("=", "q", 3);
  suspect_.chain("qwert yuiop");
  const Proposal one = look(), other = look();
  EXPECT_EQ(one.evidence.dump(), other.evidence.dump());
  EXPECT_EQ(one.signal, other.signal);
}

TEST(LargestExcess, IsTheStretchThatGainsMost) {
  const std::vector<float> reference(6, -5.0F);
  const ExcessSpan span = largest_excess({-5, -1, -4.5F, -2, -6, -3}, reference, 1);
  EXPECT_EQ(span.begin, 1U);  // gains 3, -0.5, 2, then -2, 1
  EXPECT_EQ(span.end, 4U);
  EXPECT_DOUBLE_EQ(span.excess, 4 + 0.5 + 3);
  EXPECT_EQ(largest_excess({-5, -6}, {-5, -5}, 1).end, 0U);
  EXPECT_EQ(largest_excess({}, {}, 1).excess, 0);
}

}  // namespace
}  // namespace reveille::scan
