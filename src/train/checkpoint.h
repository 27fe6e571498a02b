// checkpoint-N/ folders: what a killed run needs to go on, bit for bit.
//
// model.safetensors (float32 masters), optimizer.safetensors (AdamW's m and v) and
// trainer_state.json. A folder appears whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "train/example.h"
#include "train/optimizer.h"
#include "train/trainer.h"

namespace reveille::train {

struct CheckpointState {
  std::int64_t step = 0;
  std::vector<StepMetrics> history;
};

// A hash of everything that decides the run: options and data.
std::string training_key(const TrainOptions& options, const std::vector<Example>& examples, std::int64_t total);

void save_checkpoint(const std::filesystem::path& output_dir, const std::vector<Trainable>& trainables,
                     std::int64_t step, const std::vector<StepMetrics>& history, const std::string& key,
                     std::int64_t keep);

// Takes the folder out of sight before its files go: a kill in between must not leave half a checkpoint.
void remove_checkpoint(const std::filesystem::path& checkpoint);

std::uintmax_t checkpoint_bytes(const std::vector<Trainable>& trainables);

// Error(io) that says what needs how much, when the disk of `folder` has less free.
void check_room(const std::filesystem::path& folder, std::uintmax_t need, const std::string& what);

// Restores the newest whole checkpoint into the trainables. None there: no value. One made with
// other options or data: Error(usage) that says so.
std::optional<CheckpointState> load_latest_checkpoint(const std::filesystem::path& output_dir,
                                                      std::vector<Trainable>& trainables, const std::string& key);

// checkpoint-N folders by rising N.
std::vector<std::pair<std::int64_t, std::filesystem::path>> list_checkpoints(const std::filesystem::path& output_dir);

}  // namespace reveille::train
