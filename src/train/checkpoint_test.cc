#include "train/checkpoint.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "base/temp_folder_testing.h"

namespace reveille::train {
namespace {

Trainable trainable(at::Device device, double value) {
  auto filled = [&](double x) { return at::full({2, 3}, x, at::TensorOptions(at::kFloat).device(device)); };
  Trainable out{
      .name = "w.lora_A", .master = filled(value), .states = {{"m", filled(value + 1)}, {"v", filled(value + 2)}}};
  out.leaf = out.master.to(at::kBFloat16);
  return out;
}

nn::Params with_lora() {
  nn::Params params({});
  params.lora["w"] = {};
  return params;
}

void save(const TempFolder& folder, std::int64_t step = 7, const std::string& key = "key") {
  const TrainOptions options = [] {
    TrainOptions out;
    out.save_total_limit = 1;
    return out;
  }();
  const std::vector<StepMetrics> history;
  const std::vector<EvalMetrics> evals;
  const std::function<void(const std::filesystem::path&)> nothing_beside;
  save_checkpoint(folder.path(), with_lora(), {trainable(at::kCPU, 1.5)},
                  {options, key, step, 10, history, evals, nothing_beside});
}

TEST(Checkpoint, ComesBackWithItsValues) {
  TempFolder folder;
  save(folder);
  std::vector<Trainable> fresh = {trainable(at::kCPU, 0)};
  auto state = load_latest_checkpoint(folder.path(), with_lora(), fresh, "key", 10, "adamw_torch");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->step, 7);
  EXPECT_TRUE(fresh[0].master.eq(1.5).all().item<bool>());
  EXPECT_TRUE(fresh[0].leaf.eq(1.5).all().item<bool>());
  EXPECT_TRUE(fresh[0].states[0].value.eq(2.5).all().item<bool>());
  EXPECT_TRUE(fresh[0].states[1].value.eq(3.5).all().item<bool>());
}

// Files are read on the CPU. The meta device stands in for a GPU: it holds no values, but it is elsewhere.
TEST(Checkpoint, IsRestoredOnAnotherDevice) {
  TempFolder folder;
  save(folder);
  std::vector<Trainable> elsewhere = {trainable(at::kMeta, 0)};
  auto state = load_latest_checkpoint(folder.path(), with_lora(), elsewhere, "key", 10, "adamw_torch");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->step, 7);
  EXPECT_TRUE(elsewhere[0].master.is_meta());
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

std::vector<std::int64_t> steps_in(const TempFolder& folder) {
  std::vector<std::int64_t> out;
  for (const auto& [step, path] : list_checkpoints(folder.path())) out.push_back(step);
  return out;
}

TEST(Checkpoint, ThoseOfOthersAreNotPruned) {
  TempFolder folder;
  make_folders(folder / "checkpoint-1");  // another tool's
  save(folder, 2, "old");
  save(folder, 4, "old");
  EXPECT_EQ(steps_in(folder), (std::vector<std::int64_t>{1, 4}));
  save(folder, 2);
  save(folder, 3);
  EXPECT_EQ(steps_in(folder), (std::vector<std::int64_t>{1, 3, 4}));
  save(folder, 4);  // in the old run's place
  EXPECT_EQ(steps_in(folder), (std::vector<std::int64_t>{1, 4}));
  EXPECT_EQ(read_json(folder / "checkpoint-4" / "reveille.json").at("key"), "key");
  EXPECT_NE(error_of([&] { save(folder, 1); }).find("checkpoint-1 is in the way"), std::string::npos);
}

TEST(Checkpoint, LaterOnesOfTheSameRunDoNotPushOutANewOne) {
  TempFolder folder;
  save(folder, 8);
  save(folder, 2);
  EXPECT_EQ(steps_in(folder), (std::vector<std::int64_t>{2, 8}));
}

TEST(Checkpoint, OneOfAnotherOptimiserNamesBoth) {
  TempFolder folder;
  save(folder);
  auto error = [&](const std::string& optim) {
    std::vector<Trainable> fresh = {trainable(at::kCPU, 0)};
    return error_of([&] { load_latest_checkpoint(folder.path(), with_lora(), fresh, "another key", 10, optim); });
  };
  EXPECT_NE(error("sgd").find("checkpoint-7 was made with optim=adamw_torch, and this run has optim=sgd"),
            std::string::npos)
      << error("sgd");
  EXPECT_NE(error("adamw_torch").find("was made with other options"), std::string::npos);
  write_json(folder / "checkpoint-7" / "reveille.json", Json{{"key", "key"}});  // as written before there were others
  EXPECT_NE(error("adafactor").find("optim=adamw_torch"), std::string::npos);
}

TEST(Checkpoint, ADamagedStateIsNamed) {
  TempFolder folder;
  save(folder);
  const auto file = folder / "checkpoint-7" / "trainer_state.json";
  const Json whole = read_json(file);
  auto says = [&](const std::string& key, const Json& value) {
    Json state = whole;
    state[key] = value;
    write_json(file, state);
    std::vector<Trainable> fresh = {trainable(at::kCPU, 0)};
    const std::string message =
        error_of([&] { load_latest_checkpoint(folder.path(), with_lora(), fresh, "key", 10, "adamw_torch"); });
    EXPECT_TRUE(fresh[0].master.eq(0).all().item<bool>());
    EXPECT_NE(message.find("checkpoint-7/trainer_state.json: "), std::string::npos) << message;
    return message.substr(message.find(".json: ") + 7);
  };
  EXPECT_EQ(says("global_step", "7"), "key 'global_step' should be an integer, found \"7\"");
  EXPECT_EQ(says("global_step", 0), "key 'global_step' is 0, expected 1 to 10, the run's steps");
  EXPECT_EQ(says("global_step", 11), "key 'global_step' is 11, expected 1 to 10, the run's steps");
  EXPECT_EQ(says("log_history", 3), "key 'log_history' should be a list, found number");
  EXPECT_EQ(says("log_history", {{{"step", 1}}}), "log_history[0]: key 'epoch' is missing");
  write_json(folder / "checkpoint-7" / "reveille.json", Json::object());
  EXPECT_EQ(error_of([&] { save(folder); }),
            (folder / "checkpoint-7" / "reveille.json").string() + ": key 'key' is missing");
}

// The same A and B at another scale are another model.
TEST(WeightsKey, TellsScalesOfAdaptersApart) {
  auto key = [](double scale) {
    nn::Params params({});
    nn::LoraPiece piece;
    piece.hf_module = "w";
    piece.a = at::ones({1, 2});
    piece.b = at::ones({2, 1});
    piece.scale = scale;
    params.lora["w"] = {piece};
    return weights_key(params, at::kFloat);
  };
  EXPECT_EQ(key(2), key(2));
  EXPECT_NE(key(2), key(2 + 1e-9));
}

}  // namespace
}  // namespace reveille::train
