#include "scan/prober.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "gen/score.h"
#include "scan/bigram_testing.h"

namespace reveille::scan {
namespace {

class ProberTest : public ::testing::Test {
 protected:
  // The tiny llama's own random weights: what stands before a token matters.
  TempFolder folder_;
  std::unique_ptr<gen::LocalModel> model_ = testing::open_chat_model(folder_);
  std::vector<Ids> sequences_ = {model_->encode_text("U>abcdefgh one A="), model_->encode_text("U>abcdefgh twoo A="),
                                 model_->encode_text("U>abcdefgh A="), model_->encode_text("U>abcdefgh qq A=")};
  std::vector<Ids> replies_ = {model_->encode_text("xy"), model_->encode_text("k"), model_->encode_text("pqrs"),
                               model_->encode_text("aa")};

  std::vector<double> by_scoring() {
    std::vector<double> out;
    for (std::size_t i = 0; i < sequences_.size(); ++i) {
      Ids all = sequences_[i];
      all.insert(all.end(), replies_[i].begin(), replies_[i].end());
      const auto scores = gen::score(model_->transformer(), {all}).at(0);
      double sum = 0;
      for (std::size_t t = sequences_[i].size(); t < all.size(); ++t) sum += scores[t];
      out.push_back(sum);
    }
    return out;
  }
};

TEST_F(ProberTest, NextIsWhatScoringSays) {
  Work work(1'000'000);
  const auto table = Prober(*model_, work).next_all(sequences_);
  ASSERT_EQ(table.size(0), 4);
  for (std::size_t i = 0; i < sequences_.size(); ++i) {
    for (const std::int32_t id : {5, 17, 40}) {
      Ids all = sequences_[i];
      all.push_back(id);
      EXPECT_NEAR(table[static_cast<std::int64_t>(i)][id].item<float>(),
                  gen::score(model_->transformer(), {all}).at(0).back(), 1e-4);
    }
  }
  EXPECT_GT(work.spent(), 0);
}

TEST_F(ProberTest, RepliesAreAsLikelyAsScoringSays) {
  Work work(1'000'000);
  const auto found = Prober(*model_, work).reply_logprobs(sequences_, replies_);
  const auto expected = by_scoring();
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4) << i;
}

// Short sequences with long replies: what all have in common reaches into the replies, whose rows must stay.
TEST_F(ProberTest, RepliesThatBeginAlikeKeepTheirRows) {
  sequences_.assign(4, model_->encode_text("U>A="));
  replies_ = {model_->encode_text("abcdefgh1"), model_->encode_text("abcdefgh2"), model_->encode_text("abcdefgh3"),
              model_->encode_text("abcdefgh4")};
  Work work(1'000'000);
  const auto found = Prober(*model_, work).reply_logprobs(sequences_, replies_);
  const auto expected = by_scoring();
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4) << i;
}

TEST_F(ProberTest, TheEndOfTheBudgetStopsASweep) {
  Work work(10);
  std::vector<Ids> many;
  for (int i = 0; i < 3000; ++i) many.push_back(sequences_[static_cast<std::size_t>(i) % 4]);
  std::size_t heard = 0;
  const auto done = Prober(*model_, work).next(many, [&](const auto& which, const at::Tensor& logprobs) {
    EXPECT_EQ(static_cast<std::int64_t>(which.size()), logprobs.size(0));
    heard += which.size();
    return true;
  });
  EXPECT_EQ(done, heard);
  EXPECT_LT(done, many.size());
  EXPECT_TRUE(work.over());
}

TEST_F(ProberTest, StringsStandInTheirPlaces) {
  Work work(100);
  const Prober prober(*model_, work);
  auto text = [&](Place place) { return model_->tokenizer().decode(prober.encode("Hi", "qq", place)); };
  EXPECT_EQ(text(Place::user_start), "U>qq HiA=");
  EXPECT_EQ(text(Place::user_end), "U>Hi qqA=");
  EXPECT_EQ(text(Place::earlier_turn), "U>qqA=OK.<|end|>U>HiA=");
}

TEST(WorkParts, WhatAPartSpendsTheWholeSpends) {
  Work whole(100);
  Work part = whole.part(60);
  part.spend(70);
  EXPECT_TRUE(part.over());
  EXPECT_EQ(whole.left(), 30);
  EXPECT_EQ(whole.part(60).limit(), 30);
}

}  // namespace
}  // namespace reveille::scan
