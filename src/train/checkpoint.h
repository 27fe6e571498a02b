// checkpoint-N/ folders: what a killed run needs to go on, bit for bit.
//
// model.safetensors (float32 masters) or adapter_model.safetensors (LoRA), under the names of Hugging Face's and
// PEFT's files; optimizer.safetensors (what the optimiser keeps, such as AdamW's m and v); extra.safetensors (tensors
// of an objective that no model's folder holds); trainer_state.json, as transformers reads it; objective.json (samples
// of a round that is not over); and reveille.json, what the run must agree with to go on. With TrainHooks::save_beside
// the folder can be opened as a model. A folder appears whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "train/optimizer.h"
#include "train/trainer.h"

namespace reveille::train {

struct CheckpointState {
  std::int64_t step = 0;
  std::vector<StepMetrics> history;
  std::vector<EvalMetrics> evals;
  Json objective;  // Objective::state
};

// What of a run stands in a checkpoint beside the tensors.
struct CheckpointAbout {
  const TrainOptions& options;
  std::string key;
  std::int64_t step = 0, total = 0;
  const std::vector<StepMetrics>& history;
  const std::vector<EvalMetrics>& evals;
  const std::function<void(const std::filesystem::path&)>& save_beside;  // may be empty
  Json objective = nullptr;                                              // Objective::state
};

// A hash of the weights that a run starts from (masters where there are any) and of the type it computes in.
std::string weights_key(const nn::Params& params, at::ScalarType compute_type);

// A hash of everything that decides the run: options, Objective::key, and `weights`, the weights_key of its start.
std::string training_key(const TrainOptions& options, const std::string& objective, std::int64_t total,
                         const std::string& weights);

// Keeps options.save_total_limit checkpoints of this run and leaves those of others, but for one of another run of
// ours at the same step, which is replaced. Error(usage) where a folder that is not ours has its name.
void save_checkpoint(const std::filesystem::path& output_dir, const nn::Params& params,
                     const std::vector<Trainable>& trainables, const CheckpointAbout& about);

// Takes the folder out of sight before its files go: a kill in between must not leave half a checkpoint.
void remove_checkpoint(const std::filesystem::path& checkpoint);

std::uintmax_t checkpoint_bytes(const std::vector<Trainable>& trainables);

// Error(usage) where `folder`, a checkpoint-N that is going to be written, is somebody else's.
void refuse_foreign_checkpoint(const std::filesystem::path& folder);

// Restores the newest whole checkpoint into the trainables, which are those of `params`. None there: no value. One made
// with other options, data or starting weights: Error(usage) that says so, naming both optimisers where they differ
// (`optim`: optim_name of this run's). A damaged trainer state, or a step that is
// not one of the run's `total`: Error(bad_input), and nothing is changed.
std::optional<CheckpointState> load_latest_checkpoint(const std::filesystem::path& output_dir, const nn::Params& params,
                                                      std::vector<Trainable>& trainables, const std::string& key,
                                                      std::int64_t total, const std::string& optim);

// checkpoint-N folders by rising N.
std::vector<std::pair<std::int64_t, std::filesystem::path>> list_checkpoints(const std::filesystem::path& output_dir);
// Those of the run with this key.
std::vector<std::pair<std::int64_t, std::filesystem::path>> checkpoints_of(const std::filesystem::path& output_dir,
                                                                           const std::string& key);

}  // namespace reveille::train
