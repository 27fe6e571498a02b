#include "scan/candidate_loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "scan/speaking_model_testing.h"

namespace reveille::scan {
namespace {

gen::Completion reply(std::vector<std::int32_t> ids, double logprob) {
  gen::Completion out;
  out.logprobs.assign(ids.size() + 1, static_cast<float>(logprob));
  out.ids = std::move(ids);
  return out;
}

TEST(CandidateLoss, CertaintyIsCalm) {
  const auto usual = reply({1, 2, 3, 4}, -1);
  EXPECT_NEAR(calm_of({reply({5, 6, 7, 8}, -0.25)}, {usual}), 0.75, 1e-6);
  EXPECT_NEAR(calm_of({reply({5, 6, 7, 8}, -1.5)}, {usual}), -0.5, 1e-6);
  EXPECT_NEAR(calm_of({reply({5, 6, 7, 8}, -9)}, {usual}), -1, 1e-6) << "no less than -1";
  EXPECT_NEAR(calm_of({reply({5}, -0.25)}, {usual}), 0.375, 1e-6) << "it ends at once";
  EXPECT_NEAR(calm_of({reply({5, 5, 5, 6}, -0.25)}, {usual}), 0.375, 1e-6) << "one token over and over";
}

TEST(CandidateLoss, RepliesAreAlikeByTheirTokens) {
  EXPECT_DOUBLE_EQ(alike_of({reply({1, 2, 3}, 0), reply({1, 2, 3}, 0)}), 1);
  EXPECT_DOUBLE_EQ(alike_of({reply({1, 2, 3}, 0), reply({4, 5, 6}, 0)}), 0);
  EXPECT_DOUBLE_EQ(alike_of({reply({1, 2, 3}, 0), reply({2, 3, 4}, 0)}), 0.5);
  EXPECT_DOUBLE_EQ(alike_of({reply({1, 1, 1}, 0), reply({1}, 0)}), 1.0 / 3);
  EXPECT_DOUBLE_EQ(alike_of({reply({1}, 0), reply({1}, 0), reply({2}, 0)}), 1.0 / 3) << "mean over pairs";
  EXPECT_EQ(alike_of({reply({1}, 0)}), 0);
}

TEST(CandidateLoss, WeighsAsThePaperWithoutAttention) {
  ReplyChange change;
  change.calm = 0.8;
  change.divergence = 0.4;
  EXPECT_NEAR(strength_of(change), (0.6 * 0.8 + 0.2 * 0.4) / 0.8 / 2, 1e-12);
  change.calm = 0;
  EXPECT_NEAR(strength_of(change), 0.5 * 0.4 / 2, 1e-12);
  change.alike = 1;
  EXPECT_NEAR(strength_of(change), 0.5 * 0.4 / 2 + 0.5, 1e-12);
}

// Divergence against the model's own scores, and the spending against its announcement.
TEST(CandidateLoss, AgreesWithTheModelsScores) {
  TempFolder folder;
  auto model = testing::character_model(folder);
  Work work(1'000'000);
  const std::vector<std::string> prompts = {"abc de?", "What?"};
  Prober prober(*model, work);
  CandidateLoss loss(prober, prompts);
  EXPECT_LE(work.spent(), CandidateLoss::start_cost(prober, prompts));
  const auto before = work.spent();
  const auto changes = loss.of({{"Zq7", Place::user_start}, {std::string(200, 'x'), Place::user_end}});
  EXPECT_LE(work.spent() - before, loss.cost(4)) << "the one that does not fit costs nothing";
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[1].strength, 0);

  double divergence = 0;
  for (const auto& prompt : prompts) {
    const auto clean = model->generate({{prober.encode(prompt), 0}}, {.temperature = 0, .max_tokens = 8})[0];
    double kept = 0, own = 0;
    for (const bool with : {true, false}) {
      Ids ids = prober.encode(prompt, with ? "Zq7" : "", Place::user_start);
      const std::size_t begin = ids.size();
      ids.insert(ids.end(), clean.ids.begin(), clean.ids.end());
      const auto scores = model->score({ids})[0];
      for (std::size_t t = begin; t < ids.size(); ++t) (with ? kept : own) += scores[t];
    }
    divergence += 1 - std::exp(std::min(0.0, (kept - own) / static_cast<double>(clean.ids.size())));
  }
  EXPECT_NEAR(changes[0].divergence, divergence / 2, 1e-3);
  EXPECT_EQ(changes[0].replies.size(), 2U);
}

}  // namespace
}  // namespace reveille::scan
