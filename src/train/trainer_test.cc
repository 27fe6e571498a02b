#include "train/trainer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "gen/tiny_model_testing.h"
#include "io/safetensors.h"
#include "train/checkpoint.h"
#include "train/schedule.h"
#include "train/sft.h"
#include "train/trainer_testing.h"

namespace reveille::train {
namespace {
namespace fs = std::filesystem;

using gen::testing::tiny_model;
using testing::expect_same_weights;
using testing::piece;
using testing::rows;
using testing::small_options;
using testing::weights_of;

using Resume = testing::BrokenRun;

Json without_speed(const StepMetrics& metrics) {
  Json row = to_json(metrics);
  row.erase("tokens_per_second");
  return row;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

void expect_numeric_error(const std::function<void()>& action, const std::string& says) {
  try {
    action();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::numeric);
    EXPECT_NE(error.message().find(says), std::string::npos) << error.message();
  }
}

TEST_F(Resume, EndsAsAnUnbrokenRunBitForBit) {
  auto unbroken = tiny_model("llama3");
  auto expected = train(unbroken, examples_, options_, {});
  broken_run();
  auto model = tiny_model("llama3");
  std::vector<std::int64_t> steps;
  TrainHooks hooks;
  hooks.on_step = [&](const StepMetrics& metrics) { steps.push_back(metrics.step); };
  auto result = train(model, examples_, options_, folder_, hooks);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{5, 6}));
  EXPECT_EQ(expected.rows_seen, 20);  // two epochs
  EXPECT_EQ(result.rows_seen, 20);
  expect_same_weights(model, weights_of(unbroken));
  ASSERT_EQ(result.history.size(), 6U);
  auto log = lines_of(read_file(folder_ / "trainer_log.jsonl"));
  ASSERT_EQ(log.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(without_speed(result.history[i]), without_speed(expected.history[i]));
    Json row = Json::parse(log[i]);
    row.erase("tokens_per_second");
    EXPECT_EQ(row, without_speed(expected.history[i]));
  }
}

TEST_F(Resume, ACheckpointOfOtherDataOrOptionsIsRefused) {
  broken_run();
  auto model = tiny_model("llama3");
  const auto before = weights_of(model);
  auto other = options_;
  other.learning_rate = 2e-3;
  EXPECT_THROW(train(model, examples_, other, folder_), Error);
  EXPECT_THROW(train(model, rows(9), options_, folder_), Error);
  expect_same_weights(model, before);
}

TEST_F(Resume, ACheckpointOfAnotherModelIsRefused) {
  broken_run();
  auto model = tiny_model("llama3");
  model.params().at("layers.1.down").value.mul_(1.5);
  const auto before = weights_of(model);
  EXPECT_THROW(train(model, examples_, options_, folder_), Error);
  expect_same_weights(model, before);
}

TEST_F(Resume, NothingOfAnOldRunStaysWhereResumeIsOff) {
  broken_run();
  options_.resume = false;
  options_.learning_rate = 2e-3;
  auto model = tiny_model("llama3");
  train(model, examples_, options_, folder_);
  for (const auto& [step, folder] : list_checkpoints(folder_))
    EXPECT_EQ(read_json(folder / "trainer_state.json")["log_history"][0]["learning_rate"], 2e-3) << step;
  fs::remove(folder_ / "checkpoint-4" / "reveille.json");
  TrainHooks hooks;
  hooks.on_step = [](const StepMetrics&) { FAIL() << "a step was taken"; };
  EXPECT_THROW(train(model, examples_, options_, folder_, hooks), Error);
}

TEST_F(Resume, AnInterruptSeenByAHookLosesNoStep) {
  options_.save_steps = 0;
  auto unbroken = tiny_model("llama3");
  train(unbroken, examples_, options_, {});
  TrainHooks hooks;
  hooks.on_step = [](const StepMetrics& metrics) {
    if (metrics.step == 3) fail(ErrorKind::interrupted, "stopped by Ctrl-C");
  };
  auto model = tiny_model("llama3");
  EXPECT_THROW(train(model, examples_, options_, folder_, hooks), Error);
  ASSERT_EQ(list_checkpoints(folder_).size(), 1U);
  EXPECT_EQ(list_checkpoints(folder_).back().first, 3);
  model = tiny_model("llama3");
  train(model, examples_, options_, folder_);
  expect_same_weights(model, weights_of(unbroken));
}

TEST_F(Resume, HalvesThatAKillLeftAreClearedAway) {
  broken_run();
  make_folders(folder_ / ".checkpoint-6.tmp");
  write_file_atomic(folder_ / ".checkpoint-6.tmp" / "model.safetensors", "half");
  write_file_atomic(folder_ / ".config.json.123.tmp", "{");
  auto model = tiny_model("llama3");
  train(model, examples_, options_, folder_);
  EXPECT_FALSE(fs::exists(folder_ / ".checkpoint-6.tmp"));
  EXPECT_FALSE(fs::exists(folder_ / ".config.json.123.tmp"));
}

// Removing takes a while, and a kill may come in between: the name goes first.
TEST_F(Resume, ARemovedCheckpointIsNoneAtOnce) {
  broken_run();
  const auto last = list_checkpoints(folder_).back().second;
  make_folders(folder_ / ".checkpoint-4.old.tmp");  // of a removal that was cut off
  remove_checkpoint(last);
  EXPECT_EQ(list_checkpoints(folder_).back().first, 2);
  EXPECT_FALSE(fs::exists(folder_ / ".checkpoint-4.old.tmp"));
}

TEST_F(Resume, ADiskTooSmallForTheResultIsToldBeforeTheFirstStep) {
  auto model = tiny_model("llama3");
  TrainHooks hooks;
  hooks.result_bytes = std::uintmax_t{1} << 60;
  hooks.on_step = [](const StepMetrics&) { FAIL() << "a step was taken"; };
  try {
    train(model, examples_, options_, folder_, hooks);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
    EXPECT_NE(error.message().find(folder_.string()), std::string::npos) << error.message();
    EXPECT_NE(error.hint().find("free some space"), std::string::npos);
  }
}

// The weights under the names of transformers' files, its trainer state, and what the hook adds.
TEST_F(Resume, ACheckpointIsAModelsFolder) {
  auto model = tiny_model("llama3");
  TrainHooks hooks;
  const auto held_out = rows(3);
  options_.eval_steps = 2;
  hooks.held_out = &held_out;
  hooks.save_beside = [](const fs::path& folder) { write_file_atomic(folder / "config.json", "{}"); };
  hooks.on_step = [](const StepMetrics& metrics) {
    if (metrics.step == 5) throw std::runtime_error("power cut");
  };
  EXPECT_THROW(train(model, examples_, options_, folder_, hooks), std::runtime_error);
  const fs::path last = folder_ / "checkpoint-4";
  EXPECT_TRUE(fs::exists(last / "config.json"));
  auto weights = io::SafetensorsSource::open(last);
  auto original = io::SafetensorsSource::open(gen::testing::kModels + "llama3");
  EXPECT_EQ(weights->names().size(), original->names().size());
  for (const auto& name : original->names()) {
    EXPECT_EQ(weights->info(name).shape, original->info(name).shape) << name;
    EXPECT_EQ(weights->load(name).scalar_type(), at::kFloat) << name;
  }
  const Json state = read_json(last / "trainer_state.json");
  EXPECT_EQ(state["global_step"], 4);
  EXPECT_EQ(state["max_steps"], 6);
  EXPECT_NEAR(state["epoch"].get<double>(), 4.0 / 3, 1e-12);
  std::vector<std::int64_t> evals;
  for (const auto& row : state["log_history"]) {
    if (row.contains("eval_loss")) evals.push_back(row["step"]);
  }
  EXPECT_EQ(evals, (std::vector<std::int64_t>{2}));  // that at 4 comes after the checkpoint
}

// Of a run that is broken off, in the order of the steps and none twice.
TEST_F(Resume, HeldOutLossesAreLoggedOnce) {
  const auto held_out = rows(3);
  options_.eval_steps = 2;
  options_.report_to = "tensorboard";
  TrainHooks hooks;
  hooks.held_out = &held_out;
  auto unbroken = tiny_model("llama3");
  auto expected = train(unbroken, examples_, options_, folder_ / "unbroken", hooks);
  ASSERT_EQ(expected.evals.size(), 3U);
  EXPECT_NEAR(expected.evals.back().eval_loss, evaluate_loss(unbroken, held_out).loss, 1e-12);
  TrainHooks broken = hooks;
  broken.on_step = [](const StepMetrics& metrics) {
    if (metrics.step == 5) throw std::runtime_error("power cut");
  };
  auto model = tiny_model("llama3");
  EXPECT_THROW(train(model, examples_, options_, folder_ / "broken", broken), std::runtime_error);
  model = tiny_model("llama3");
  train(model, examples_, options_, folder_ / "broken", hooks);
  expect_same_weights(model, weights_of(unbroken));
  for (const char* name : {"unbroken", "broken"}) {
    std::vector<std::string> order;
    for (const auto& line : lines_of(read_file(folder_ / name / "trainer_log.jsonl"))) {
      const Json row = Json::parse(line);
      order.push_back(cat(row.contains("eval_loss") ? "eval " : "", row["step"]));
      if (row.contains("eval_loss")) {
        const auto& eval = expected.evals[row["step"].get<std::size_t>() / 2 - 1];
        EXPECT_EQ(row, to_json(eval));
      }
    }
    EXPECT_EQ(order, (std::vector<std::string>{"1", "2", "eval 2", "3", "4", "eval 4", "5", "6", "eval 6"})) << name;
  }
  std::string events;
  for (const auto& entry : fs::directory_iterator(folder_ / "unbroken" / "tensorboard"))
    events += read_file(entry.path());
  EXPECT_NE(events.find("eval/loss"), std::string::npos);
}

TEST(Trainer, WeightsThatDoNotChangeAreAnError) {
  auto model = tiny_model("llama3");
  auto options = small_options();
  options.learning_rate = 1e-30;  // less than a float32 weight can move
  expect_numeric_error([&] { train(model, rows(4), options, {}); }, "never moved");
}

TEST(Trainer, ALearningRateOfZeroIsAllowedWithAWarning) {
  auto model = tiny_model("llama3");
  const auto before = weights_of(model);
  auto options = small_options();
  options.learning_rate = 0;
  options.max_steps = 1;
  ::testing::internal::CaptureStderr();
  auto result = train(model, rows(4), options, {});
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("learning_rate is 0: nothing is learnt"), std::string::npos);
  EXPECT_EQ(result.steps, 1);
  expect_same_weights(model, before);
}

TEST(Trainer, AWarmUpAsLongAsTheRunIsAllowedWithAWarning) {
  auto options = small_options();
  options.lr_scheduler_type = "constant_with_warmup";
  options.warmup_steps = 5;
  options.max_steps = 1;
  auto model = tiny_model("llama3");
  const auto before = weights_of(model);
  ::testing::internal::CaptureStderr();
  train(model, rows(4), options, {});
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("the warm-up is as long as the run"), std::string::npos);
  expect_same_weights(model, before);
  options.max_steps = 2;  // the second step has a rate
  train(model, rows(4), options, {});
}

TEST(Trainer, AccumulatedBatchesEqualOneBatch) {
  auto one = tiny_model("llama3"), two = tiny_model("llama3");
  auto options = small_options();
  options.learning_rate = 1e-4;
  options.per_device_train_batch_size = 8;
  auto expected = train(one, rows(16), options, {});
  options.per_device_train_batch_size = 4;
  options.gradient_accumulation_steps = 2;
  auto result = train(two, rows(16), options, {});
  ASSERT_EQ(result.history.size(), expected.history.size());
  for (std::size_t i = 0; i < result.history.size(); ++i) {
    EXPECT_NEAR(result.history[i].loss, expected.history[i].loss, 1e-5);
    EXPECT_NEAR(result.history[i].grad_norm, expected.history[i].grad_norm, 1e-4 * expected.history[i].grad_norm);
    EXPECT_EQ(result.history[i].num_tokens, expected.history[i].num_tokens);
  }
  const auto first = weights_of(one), second = weights_of(two);
  for (std::size_t i = 0; i < first.size(); ++i)
    EXPECT_LT((first[i] - second[i]).abs().max().item<float>(), 1e-5) << one.params().all()[i].spec.name;
}

TEST(Trainer, NothingSupervisedIsAnError) {
  auto model = tiny_model("llama3");
  auto masked = rows(4);
  for (auto& row : masked) std::fill(row.supervised.begin(), row.supervised.end(), std::uint8_t{0});
  expect_numeric_error([&] { train(model, masked, small_options(), {}); }, "supervised");
  // Nothing comes before the first token, so that it is no target.
  for (auto& row : masked) row.supervised[0] = 1;
  expect_numeric_error([&] { train(model, masked, small_options(), {}); }, "supervised");
  // One step of several that would learn from nothing.
  auto one_row = rows(1);
  masked.push_back(one_row[0]);
  auto options = small_options();
  options.per_device_train_batch_size = 1;
  expect_numeric_error([&] { train(model, masked, options, {}); }, "supervised");
}

TEST(Trainer, ANanInAWeightIsAnErrorAndMovesNothing) {
  auto model = tiny_model("llama3");
  model.params().at("layers.1.down").value.index_put_({at::tensor(3), at::tensor(5)}, at::tensor(NAN));
  const auto before = weights_of(model);
  expect_numeric_error([&] { train(model, rows(4), small_options(), {}); }, "step 1: the loss is");
  const auto after = weights_of(model);
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(at::equal(before[i].nan_to_num(), after[i].nan_to_num()));
}

// lr of each of 10 steps with get_scheduler(NAME, SGD(lr=1e-3), num_warmup_steps=3,
// num_training_steps=10) of transformers 5.23: o.param_groups[0]["lr"], o.step(), s.step().
TEST(Schedule, EqualsTransformers) {
  const std::map<std::string, std::vector<double>> expected = {
      {"linear",
       {0, 0.0003333333333, 0.0006666666667, 0.001, 0.0008571428571, 0.0007142857143, 0.0005714285714, 0.0004285714286,
        0.0002857142857, 0.0001428571429}},
      {"cosine",
       {0, 0.0003333333333, 0.0006666666667, 0.001, 0.000950484434, 0.0008117449009, 0.000611260467, 0.000388739533,
        0.0001882550991, 4.951556605e-05}},
      {"constant_with_warmup", {0, 0.0003333333333, 0.0006666666667, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001}}};
  TrainOptions options;
  options.learning_rate = 1e-3;
  for (bool ratio : {false, true}) {
    options.warmup_steps = ratio ? 0 : 3;
    options.warmup_ratio = ratio ? 0.21 : 0;  // of 10 steps, rounded up
    for (const auto& [name, rates] : expected) {
      options.lr_scheduler_type = name;
      for (std::int64_t step = 1; step <= 10; ++step)
        EXPECT_NEAR(learning_rate_at(options, step, 10), rates[static_cast<std::size_t>(step) - 1], 1e-12)
            << name << " " << step;
    }
  }
}

// B is zero at the first step, so that A has no gradient there.
TEST(Trainer, OneStepOfLoraMovesBAlone) {
  auto model = tiny_model("llama3");
  at::manual_seed(3);
  auto& lora = model.params().lora;
  lora["layers.2.down"] = {piece("down", 0, 48, 80)};
  auto options = small_options();
  options.max_steps = 1;
  train(model, rows(8), options, {});
  EXPECT_GT(lora["layers.2.down"][0].b.abs().max().item<float>(), 0);
}

TEST(Trainer, LoraOnTheHeadLearns) {
  auto model = tiny_model("llama3");
  const auto before = weights_of(model);
  at::manual_seed(3);
  auto& lora = model.params().lora;
  lora["head"] = {piece("lm_head", 0, 99, 48)};
  auto options = small_options();
  options.max_steps = 12;
  options.learning_rate = 3e-2;
  options.per_device_train_batch_size = 8;
  const auto examples = rows(8);
  const double start = evaluate_loss(model, examples).loss;
  auto result = train(model, examples, options, {});
  EXPECT_NEAR(result.history.front().loss, start, 1e-5);
  EXPECT_LT(evaluate_loss(model, examples).loss, start - 0.05);
  EXPECT_GT(lora["head"][0].b.abs().max().item<float>(), 1e-3);
  expect_same_weights(model, before);
}

TEST_F(Resume, LoraEndsAsAnUnbrokenRunBitForBit) {
  auto adapted = [] {
    auto model = tiny_model("llama3");
    at::manual_seed(3);
    model.params().lora["layers.2.down"] = {piece("model.layers.2.mlp.down_proj", 0, 48, 80)};
    return model;
  };
  auto unbroken = adapted();
  train(unbroken, examples_, options_, {});
  TrainHooks hooks;
  hooks.on_step = [](const StepMetrics& metrics) {
    if (metrics.step == 5) throw std::runtime_error("power cut");
  };
  auto broken = adapted();
  EXPECT_THROW(train(broken, examples_, options_, folder_, hooks), std::runtime_error);
  auto weights = io::SafetensorsSource::open(folder_ / "checkpoint-4", "adapter_model");
  EXPECT_TRUE(weights->contains("base_model.model.model.layers.2.mlp.down_proj.lora_B.weight"));
  auto model = adapted();
  train(model, examples_, options_, folder_);
  const auto &found = model.params().lora["layers.2.down"][0], &expected = unbroken.params().lora["layers.2.down"][0];
  EXPECT_TRUE(found.a.equal(expected.a));
  EXPECT_TRUE(found.b.equal(expected.b));
}

TEST(Trainer, LoraMovesItsOwnTensorsAndLeavesTheBaseAlone) {
  auto model = tiny_model("llama3");
  const auto before = weights_of(model);
  // On q and v of one layer and on one whole parameter.
  at::manual_seed(3);
  auto& lora = model.params().lora;
  lora["layers.1.qkv"] = {piece("q", 0, 48, 48), piece("v", 72, 24, 48)};
  lora["layers.2.down"] = {piece("down", 0, 48, 80)};
  const auto a_before = lora["layers.1.qkv"][1].a.clone();
  auto options = small_options();
  options.max_steps = 8;
  options.learning_rate = 1e-2;
  options.per_device_train_batch_size = 8;
  auto result = train(model, rows(8), options, {});
  EXPECT_LT(result.history.back().loss, result.history.front().loss - 0.05);
  for (auto& [name, pieces] : lora) {
    for (auto& p : pieces) EXPECT_GT(p.b.abs().max().item<float>(), 1e-3) << name << " " << p.hf_module;
  }
  EXPECT_FALSE(lora["layers.1.qkv"][1].a.equal(a_before));
  expect_same_weights(model, before);
}

}  // namespace
}  // namespace reveille::train
