// DPO and reward training: what their checkpoints and folders hold. Their figures are held to TRL's by
// tests/rl_reference_test.py.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "gen/save.h"
#include "safety/dpo.h"
#include "safety/fixed_rollouts_testing.h"
#include "safety/reward_training.h"
#include "train/checkpoint.h"

namespace reveille::safety {
namespace {

using gen::testing::tiny_ids;
using testing::rl_options;
using testing::tiny_policy;

train::Example side(int length, int start) {
  auto ids = tiny_ids(length, start);
  std::vector<std::uint8_t> supervised(ids.size(), 1);
  std::fill_n(supervised.begin(), 4, std::uint8_t{0});
  return {std::move(ids), std::move(supervised), "row"};
}

std::vector<train::Pair> pairs(int count) {
  std::vector<train::Pair> out;
  for (int i = 0; i < count; ++i) out.push_back({side(8 + i % 5, i), side(9 + i % 3, i + 40)});
  return out;
}

void expect_same(const gen::LocalModel& a, const gen::LocalModel& b) {
  const auto &first = a.transformer().params().all(), &second = b.transformer().params().all();
  for (std::size_t i = 0; i < first.size(); ++i)
    EXPECT_TRUE(first[i].value.equal(second[i].value)) << first[i].spec.name;
}

TEST(Dpo, BeginsAtLogTwoAndResumesBitForBit) {
  TempFolder folder;
  auto options = rl_options(4);
  options.save_steps = 2;
  auto run = [&](gen::LocalModel& model, const std::filesystem::path& out, std::int64_t stop_after) {
    train::TrainHooks hooks;
    hooks.on_step = [&](const train::StepMetrics& metrics) {
      if (metrics.step == stop_after) throw std::runtime_error("power cut");
    };
    return train_dpo(model, pairs(8), pairs(3), options, {}, out, hooks);
  };
  auto unbroken = tiny_policy(folder), broken = tiny_policy(folder), resumed = tiny_policy(folder);
  const auto expected = run(*unbroken, folder / "unbroken", 0);
  EXPECT_NEAR(expected.history.front().loss, std::log(2.0), 1e-5);
  EXPECT_LT(expected.history.back().loss, std::log(2.0));
  ASSERT_EQ(expected.evals.size(), 1U);
  EXPECT_GE(train::value_of(expected.evals[0].metrics, "eval_rewards/accuracies", -1), 0);
  EXPECT_THROW(run(*broken, folder / "broken", 3), std::runtime_error);
  const auto gone_on = run(*resumed, folder / "broken", 0);
  expect_same(*unbroken, *resumed);
  EXPECT_EQ(expected.rows_seen, 16) << "pairs";
  EXPECT_EQ(gone_on.rows_seen, 16) << "pairs";
}

TEST(Dpo, ASmoothingThatWouldDoNothingIsRefused) {
  TempFolder folder;
  auto model = tiny_policy(folder);
  DpoOptions dpo;
  dpo.label_smoothing = 0.1;
  EXPECT_THROW(train_dpo(*model, pairs(4), {}, rl_options(4), dpo, {}), Error);
}

TEST(RewardTraining, ResumesWithItsHeadAndIsSavedAsOne) {
  TempFolder folder;
  auto options = rl_options(4);
  options.save_steps = 2;
  auto run = [&](gen::LocalModel& model, const std::filesystem::path& out, std::int64_t stop_after) {
    train::TrainHooks hooks;
    hooks.on_step = [&](const train::StepMetrics& metrics) {
      if (metrics.step == stop_after) throw std::runtime_error("power cut");
    };
    return train_reward(model, pairs(8), pairs(3), options, {}, out, hooks);
  };
  auto unbroken = tiny_policy(folder), broken = tiny_policy(folder), resumed = tiny_policy(folder);
  run(*unbroken, folder / "unbroken", 0);
  EXPECT_THROW(run(*broken, folder / "broken", 3), std::runtime_error);
  const auto checkpoint = train::list_checkpoints(folder / "broken").back().second;
  EXPECT_TRUE(io::SafetensorsSource::open(checkpoint)->contains("score.weight"));
  EXPECT_FALSE(io::SafetensorsSource::open(checkpoint)->contains("lm_head.weight"));
  run(*resumed, folder / "broken", 0);
  expect_same(*unbroken, *resumed);
  EXPECT_TRUE(unbroken->score_head().equal(resumed->score_head()));

  gen::save_hf_folder(*unbroken, folder / "saved", {.dtype = at::kFloat});
  EXPECT_THROW(gen::open_model((folder / "saved").string(), {.dtype = "float32"}), Error);
  auto opened = gen::open_model((folder / "saved").string(), {.dtype = "float32", .reward_model = true});
  std::vector<train::Example> rows;
  for (int i = 0; i < 3; ++i) rows.push_back(read_at_end(tiny_ids(7 + i, i), std::nullopt, "row"));
  EXPECT_EQ(read_all(unbroken->transformer(), unbroken->score_head(), rows),
            read_all(opened->transformer(), opened->score_head(), rows));
}

TEST(RewardTraining, WhatItRanksRightlyIsWhatItsEvaluationCounts) {
  TempFolder folder;
  auto model = tiny_policy(folder);
  const auto held_out = pairs(7);
  const auto result = train_reward(*model, pairs(8), held_out, rl_options(4), {}, {});
  const auto right = ranked_rightly(*model, held_out);
  ASSERT_EQ(right.size(), 7U);
  const auto hits = static_cast<double>(std::count(right.begin(), right.end(), true));
  ASSERT_FALSE(result.evals.empty());
  EXPECT_DOUBLE_EQ(train::value_of(result.evals.back().metrics, "eval_accuracy", -1), hits / 7);
  auto swapped = held_out;
  for (auto& pair : swapped) std::swap(pair.chosen, pair.rejected);
  const auto wrong = ranked_rightly(*model, swapped);
  for (std::size_t i = 0; i < right.size(); ++i) EXPECT_NE(right[i], wrong[i]) << i;
}

TEST(RewardModel, OneOfAnotherTokenizerIsRefused) {
  TempFolder folder;
  auto policy = tiny_policy(folder), judge = tiny_policy(folder, "qwen3");
  ensure_score_head(*judge, 0);
  gen::save_hf_folder(*judge, folder / "judge", {.dtype = at::kFloat});
  Json tokenizer = read_json(folder / "judge" / "tokenizer.json");
  tokenizer["model"]["merges"] = Json::array();
  write_json(folder / "judge" / "tokenizer.json", tokenizer);
  try {
    RewardModel::open((folder / "judge").string(), *policy, {.dtype = "float32"});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("another tokenizer"), std::string::npos) << error.message();
  }
}

TEST(RewardModel, ALanguageModelIsNone) {
  TempFolder folder;
  try {
    RewardModel model(tiny_policy(folder));
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("no score.weight"), std::string::npos) << error.message();
  }
}

TEST(ReadAtEnd, PassesOverPadding) {
  const auto example = read_at_end({5, 6, 9, 9}, 9, "row");
  EXPECT_EQ(example.ids.size(), 3U);
  EXPECT_EQ(example.supervised, (std::vector<std::uint8_t>{0, 0, 1}));
  EXPECT_THROW(read_at_end({9, 9}, 9, "row"), Error);
}

}  // namespace
}  // namespace reveille::safety
