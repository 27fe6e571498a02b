// What the stages of `reveille train` share: their arguments, opening a model that can learn, writing what it became.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/verb.h"
#include "io/dataset.h"
#include "train/options.h"

// Of headers with torch in them, which no header of this room includes.
namespace reveille::gen {
class LocalModel;
struct OpenOptions;
}  // namespace reveille::gen
namespace reveille::train {
struct TrainHooks;
struct TrainResult;
}  // namespace reveille::train

namespace reveille::cli {

// One function a stage, each in its own file; the table is in verb_train.cc.
int train_sft(const std::vector<std::string>& arguments);
int train_dpo(const std::vector<std::string>& arguments);
int train_reward(const std::vector<std::string>& arguments);
int train_grpo(const std::vector<std::string>& arguments);
int train_ppo(const std::vector<std::string>& arguments);
int train_adversarial(const std::vector<std::string>& arguments);
int train_latent(const std::vector<std::string>& arguments);

struct StageArguments {
  std::string stage;  // "sft"
  std::string model, dataset, eval_dataset, output_dir;
};

// MODEL, --dataset, --eval-dataset (where `eval_help` is not empty) and --output-dir.
void add_stage_arguments(CommandLine& line, StageArguments& arguments, const std::string& rows,
                         const std::string& eval_help);
// Error(usage) for what is missing.
void check_stage_arguments(const StageArguments& arguments);

// Opens the model with masters, or with a fresh LoRA adapter where use_peft says so.
std::unique_ptr<gen::LocalModel> open_to_train(const StageArguments& arguments, gen::OpenOptions open,
                                               const train::TrainOptions& options);

// Runs `learn`, saves the model (a folder, or an adapter where it still has one) and prints one JSON object:
// output_dir, steps, train_loss, the figures named in `told` of the last step, and all of the last evaluation.
int run_stage(const StageArguments& arguments, gen::LocalModel& model, const train::TrainOptions& options,
              const std::vector<std::string>& told,
              const std::function<train::TrainResult(const train::TrainHooks&)>& learn);

}  // namespace reveille::cli
