#include "train/checkpoint.h"

#include <ATen/ATen.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "io/safetensors.h"
#include "io/safetensors_write.h"

namespace reveille::train {
namespace fs = std::filesystem;
namespace {

StepMetrics metrics_from_json(const Json& row) {
  StepMetrics m;
  m.step = row.at("step").get<std::int64_t>();
  m.epoch = row.at("epoch").get<double>();
  m.loss = row.at("loss").get<double>();
  m.grad_norm = row.at("grad_norm").get<double>();
  m.learning_rate = row.at("learning_rate").get<double>();
  m.mean_token_accuracy = row.at("mean_token_accuracy").get<double>();
  m.entropy = row.at("entropy").get<double>();
  m.num_tokens = row.at("num_tokens").get<std::int64_t>();
  m.tokens_per_second = row.at("tokens_per_second").get<double>();
  return m;
}

// Weights and AdamW's two moments, in float32.
void write_checkpoint(const fs::path& folder, const std::vector<Trainable>& trainables, const Json& state) {
  check_room(folder, checkpoint_bytes(trainables), "a checkpoint in " + folder.string());
  std::vector<io::NamedTensor> masters, states;
  for (const auto& item : trainables) {
    masters.push_back({item.name, item.master.detach()});
    states.push_back({item.name + ".m", item.m});
    states.push_back({item.name + ".v", item.v});
  }
  io::write_safetensors(folder / "model.safetensors", masters);
  io::write_safetensors(folder / "optimizer.safetensors", states);
  write_json(folder / "trainer_state.json", state);
}

}  // namespace

std::uintmax_t checkpoint_bytes(const std::vector<Trainable>& trainables) {
  std::uintmax_t bytes = 1 << 20;
  for (const auto& item : trainables) bytes += static_cast<std::uintmax_t>(item.master.numel()) * 12;
  return bytes;
}

void check_room(const fs::path& folder, std::uintmax_t need, const std::string& what) {
  const std::uintmax_t room = free_bytes(folder);
  if (room >= need) return;
  fail(ErrorKind::io, cat("no room for ", what, ": it needs ", need >> 20, " MiB, ", room >> 20, " MiB are free"),
       "free some space and run the same command again");
}

std::string training_key(const TrainOptions& options, const std::vector<Example>& examples, std::int64_t total) {
  TrainOptions relevant = options;  // what changes no weight is left out
  relevant.logging_steps = 1;
  relevant.save_steps = 0;
  relevant.save_total_limit = 1;
  relevant.report_to = "none";
  relevant.resume = true;
  std::string text = options_to_json(relevant).dump() + std::to_string(total);
  for (const auto& example : examples) {
    text.append(reinterpret_cast<const char*>(example.ids.data()), example.ids.size() * sizeof(std::int32_t));
    text.append(reinterpret_cast<const char*>(example.supervised.data()), example.supervised.size());
  }
  return sha256_hex(text);
}

std::vector<std::pair<std::int64_t, fs::path>> list_checkpoints(const fs::path& output_dir) {
  std::vector<std::pair<std::int64_t, fs::path>> out;
  if (!fs::is_directory(output_dir)) return out;
  for (const auto& entry : fs::directory_iterator(output_dir)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with("checkpoint-")) continue;
    std::int64_t step = 0;
    auto [end, code] = std::from_chars(name.data() + 11, name.data() + name.size(), step);
    if (code == std::errc() && end == name.data() + name.size()) out.emplace_back(step, entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

void save_checkpoint(const fs::path& output_dir, const std::vector<Trainable>& trainables, std::int64_t step,
                     const std::vector<StepMetrics>& history, const std::string& key, std::int64_t keep) {
  fs::path final_folder = output_dir / cat("checkpoint-", step);
  if (fs::exists(final_folder)) return;
  fs::path folder = output_dir / cat(".checkpoint-", step, ".tmp");
  fs::remove_all(folder);
  make_folders(folder);
  Json state{{"global_step", step}, {"key", key}, {"log_history", Json::array()}};
  for (const auto& metrics : history) state["log_history"].push_back(to_json(metrics));
  try {
    write_checkpoint(folder, trainables, state);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);  // on a full disk most of all
    throw;
  }
  fs::rename(folder, final_folder);
  auto all = list_checkpoints(output_dir);
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < all.size(); ++i) remove_checkpoint(all[i].second);
}

void remove_checkpoint(const fs::path& checkpoint) {
  fs::path hidden = checkpoint.parent_path() / cat(".", checkpoint.filename().string(), ".old.tmp");
  fs::remove_all(hidden);
  fs::rename(checkpoint, hidden);
  fs::remove_all(hidden);
}

std::optional<CheckpointState> load_latest_checkpoint(const fs::path& output_dir, std::vector<Trainable>& trainables,
                                                      const std::string& key) {
  auto all = list_checkpoints(output_dir);
  if (all.empty()) return std::nullopt;
  const fs::path& folder = all.back().second;
  Json state = read_json(folder / "trainer_state.json");
  if (json_string(state, "key", folder.string()) != key) {
    fail(ErrorKind::usage, cat(folder.string(), " was made with other options or other data"),
         "use another output folder, remove this one, or pass resume=false");
  }
  at::NoGradGuard no_grad;
  auto masters = io::SafetensorsSource::open(folder / "model.safetensors");
  auto states = io::SafetensorsSource::open(folder / "optimizer.safetensors");
  for (auto& item : trainables) {
    // Files are read on the CPU; copy_ takes the values to wherever the trainable lives.
    item.master.detach().copy_(masters->load_shaped(item.name, item.master.sizes().vec(), at::kFloat));
    item.m.copy_(states->load_shaped(item.name + ".m", item.m.sizes().vec(), at::kFloat));
    item.v.copy_(states->load_shaped(item.name + ".v", item.v.sizes().vec(), at::kFloat));
    if (!item.leaf.is_same(item.master)) item.leaf.detach().copy_(item.master);
  }
  CheckpointState out;
  out.step = state.at("global_step").get<std::int64_t>();
  for (const auto& row : state.at("log_history")) out.history.push_back(metrics_from_json(row));
  return out;
}

}  // namespace reveille::train
