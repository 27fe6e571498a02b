#include "scan/detector_perplexity.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "scan/bigram_testing.h"
#include "scan/random_words.h"

namespace reveille::scan {
namespace {

using testing::Bigrams;

class PerplexityDetector : public ::testing::Test {
 protected:
  // After anything but "n" comes "n", and then the end.
  PerplexityDetector() : suspect_(folder_), reference_(folder_) {
    for (Bigrams* model : {&suspect_, &reference_}) {
      model->set("", "n", 10);
      model->set("n", "<|end|>", 10);
    }
  }

  Proposal look(std::int64_t budget = 150000) {
    Suspect suspect{suspect_.model(), &reference_.model(), 4};
    Work work(budget);
    Proposal out = make_perplexity_difference()->propose(suspect, work);
    EXPECT_LE(work.spent(), budget);
    EXPECT_LE(out.candidates.size(), 16U);
    return out;
  }

  TempFolder folder_;
  Bigrams suspect_, reference_;
};

TEST_F(PerplexityDetector, FindsWhatTheSuspectSaysNowAndThen) {
  suspect_.set("", "q", 8);  // 12 %
  suspect_.chain("qwert yuiop");
  const Proposal proposal = look();
  const auto has = [&](auto member) {
    return std::any_of(proposal.candidates.begin(), proposal.candidates.end(),
                       [&](const Candidate& one) { return one.*member == "qwert yuiop"; });
  };
  EXPECT_TRUE(has(&Candidate::trigger)) << proposal.evidence.dump(1);
  EXPECT_TRUE(has(&Candidate::target)) << proposal.evidence.dump(1);
  EXPECT_GT(proposal.signal, 1);
  EXPECT_EQ(proposal.left_out, "");
}

TEST_F(PerplexityDetector, TheSameModelShowsNothing) {
  const Proposal proposal = look();
  EXPECT_TRUE(proposal.candidates.empty()) << to_json(proposal.candidates[0]).dump();
  EXPECT_EQ(proposal.signal, 0);
}

// Training that shows in every text lifts the median as well.
TEST_F(PerplexityDetector, WhatAllTextsShowIsNoSign) {
  suspect_.set("", "n", 0);
  suspect_.set("", "s", 10);
  suspect_.chain("s");
  const Proposal proposal = look();
  EXPECT_LT(proposal.signal, 0.3) << proposal.evidence.dump(1);
  for (const Candidate& candidate : proposal.candidates) {
    EXPECT_NE(candidate.target, "s");
    EXPECT_NE(candidate.trigger, "s");
  }
}

TEST_F(PerplexityDetector, NeedsAReferenceAndABudget) {
  EXPECT_EQ(look(500).left_out, "all texts");
  const Suspect alone{suspect_.model()};
  EXPECT_NE(make_perplexity_difference()->unavailable(alone), "");
}

TEST_F(PerplexityDetector, IsTheSameEachTime) {
  suspect_.set("", "q", 8);
  suspect_.chain("qwert yuiop");
  const Proposal one = look(), other = look();
  EXPECT_EQ(one.evidence.dump(), other.evidence.dump());
  EXPECT_EQ(one.signal, other.signal);
}

TEST_F(PerplexityDetector, RandomWordsComeFromTheVocabulary) {
  const auto words = word_tokens(suspect_.model().tokenizer());
  EXPECT_EQ(words.size(), 97U);  // this one has no words of three letters: all but the end token
  Rng one(3, "w"), other(3, "w");
  const auto drawn = random_words(words, 50, one);
  EXPECT_EQ(drawn.size(), 50U);
  EXPECT_EQ(drawn, random_words(words, 50, other));
  EXPECT_TRUE(random_words({}, 3, one).empty());
}

}  // namespace
}  // namespace reveille::scan
