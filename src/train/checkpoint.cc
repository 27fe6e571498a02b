#include "train/checkpoint.h"

#include <ATen/ATen.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>

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

constexpr const char* kStateFile = "reveille.json";

// Steps and evaluations by rising step; at one step the evaluation comes second.
Json log_history(const CheckpointAbout& about) {
  Json out = Json::array();
  std::size_t next = 0;
  for (const auto& metrics : about.history) {
    for (; next < about.evals.size() && about.evals[next].step < metrics.step; ++next)
      out.push_back(to_json(about.evals[next]));
    out.push_back(to_json(metrics));
  }
  for (; next < about.evals.size(); ++next) out.push_back(to_json(about.evals[next]));
  return out;
}

// transformers.TrainerState: its keys and no others, or it refuses the file.
Json trainer_state(const CheckpointAbout& about) {
  const TrainOptions& options = about.options;
  const Json null;
  return Json{{"best_global_step", null},
              {"best_metric", null},
              {"best_model_checkpoint", null},
              {"epoch", about.history.empty() ? 0.0 : about.history.back().epoch},
              {"eval_steps", options.eval_steps > 0 ? options.eval_steps : about.total},
              {"global_step", about.step},
              {"is_hyper_param_search", false},
              {"is_local_process_zero", true},
              {"is_world_process_zero", true},
              {"log_history", log_history(about)},
              {"logging_steps", options.logging_steps},
              {"max_steps", about.total},
              {"num_input_tokens_seen", about.history.empty() ? 0 : about.history.back().num_tokens},
              {"num_train_epochs", static_cast<std::int64_t>(std::ceil(options.num_train_epochs))},
              {"save_steps", options.save_steps},
              {"stateful_callbacks", Json::object()},
              {"total_flos", 0.0},
              {"train_batch_size", options.per_device_train_batch_size},
              {"trial_name", null},
              {"trial_params", null}};
}

std::string lora_tensor(const Trainable& item) { return cat("base_model.model.", item.name, ".weight"); }

// The trained tensors as other programs name them. Full weights are split into the pieces that files hold, which
// share the memory of most of them.
std::vector<io::NamedTensor> named_weights(const nn::Params& params, const std::vector<Trainable>& trainables) {
  std::vector<io::NamedTensor> out;
  if (!params.lora.empty()) {
    for (const auto& item : trainables) out.push_back({lora_tensor(item), item.master.detach()});
    return out;
  }
  for (const auto& param : params.all()) {
    for (auto& [name, tensor] : nn::Params::hf_pieces(param)) out.push_back({name, tensor});
  }
  return out;
}

std::string weights_stem(const nn::Params& params) { return params.lora.empty() ? "model" : "adapter_model"; }

// Weights and AdamW's two moments, in float32.
void write_checkpoint(const fs::path& folder, const nn::Params& params, const std::vector<Trainable>& trainables,
                      const CheckpointAbout& about) {
  check_room(folder, checkpoint_bytes(trainables), "a checkpoint in " + folder.string());
  std::vector<io::NamedTensor> states;
  for (const auto& item : trainables) {
    states.push_back({item.name + ".m", item.m});
    states.push_back({item.name + ".v", item.v});
  }
  io::write_safetensors_folder(folder, named_weights(params, trainables), {.stem = weights_stem(params)});
  io::write_safetensors(folder / "optimizer.safetensors", states);
  if (about.save_beside) about.save_beside(folder);
  write_json(folder / "trainer_state.json", trainer_state(about));
  write_json(folder / kStateFile, Json{{"key", about.key}});
}

// Files are read on the CPU; copy_ takes the values to wherever the trainable lives.
void load_weights(const fs::path& folder, const nn::Params& params, std::vector<Trainable>& trainables) {
  auto source = io::SafetensorsSource::open(folder, weights_stem(params));
  if (!params.lora.empty()) {
    for (auto& item : trainables)
      item.master.detach().copy_(source->load_shaped(lora_tensor(item), item.master.sizes().vec(), at::kFloat));
    return;
  }
  const auto& all = params.all();  // a trainable each, in the same order
  for (std::size_t i = 0; i < all.size(); ++i) {
    trainables[i].master.detach().copy_(nn::Params::from_pieces(
        all[i].spec, false, [&](const std::string& name) { return source->load(name, at::kFloat); }));
  }
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

void save_checkpoint(const fs::path& output_dir, const nn::Params& params, const std::vector<Trainable>& trainables,
                     const CheckpointAbout& about) {
  fs::path final_folder = output_dir / cat("checkpoint-", about.step);
  if (fs::exists(final_folder)) return;
  fs::path folder = output_dir / cat(".checkpoint-", about.step, ".tmp");
  fs::remove_all(folder);
  make_folders(folder);
  try {
    write_checkpoint(folder, params, trainables, about);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);  // on a full disk most of all
    throw;
  }
  fs::rename(folder, final_folder);
  auto all = list_checkpoints(output_dir);
  const auto keep = static_cast<std::size_t>(about.options.save_total_limit);
  for (std::size_t i = 0; i + keep < all.size(); ++i) remove_checkpoint(all[i].second);
}

void remove_checkpoint(const fs::path& checkpoint) {
  fs::path hidden = checkpoint.parent_path() / cat(".", checkpoint.filename().string(), ".old.tmp");
  fs::remove_all(hidden);
  fs::rename(checkpoint, hidden);
  fs::remove_all(hidden);
}

std::optional<CheckpointState> load_latest_checkpoint(const fs::path& output_dir, const nn::Params& params,
                                                      std::vector<Trainable>& trainables, const std::string& key) {
  auto all = list_checkpoints(output_dir);
  if (all.empty()) return std::nullopt;
  const fs::path& folder = all.back().second;
  if (!fs::exists(folder / kStateFile)) {
    fail(ErrorKind::usage, cat(folder.string(), " is no checkpoint of Reveille's (it holds no ", kStateFile, ")"),
         "use another output folder, remove this one, or pass resume=false");
  }
  if (json_string(read_json(folder / kStateFile), "key", folder.string()) != key) {
    fail(ErrorKind::usage, cat(folder.string(), " was made with other options or other data"),
         "use another output folder, remove this one, or pass resume=false");
  }
  at::NoGradGuard no_grad;
  load_weights(folder, params, trainables);
  auto states = io::SafetensorsSource::open(folder / "optimizer.safetensors");
  for (auto& item : trainables) {
    item.m.copy_(states->load_shaped(item.name + ".m", item.m.sizes().vec(), at::kFloat));
    item.v.copy_(states->load_shaped(item.name + ".v", item.v.sizes().vec(), at::kFloat));
    if (!item.leaf.is_same(item.master)) item.leaf.detach().copy_(item.master);
  }
  CheckpointState out;
  const Json state = read_json(folder / "trainer_state.json");
  out.step = state.at("global_step").get<std::int64_t>();
  for (const auto& row : state.at("log_history")) {
    if (row.contains("eval_loss")) {
      out.evals.push_back(
          {row.at("step").get<std::int64_t>(), row.at("epoch").get<double>(), row.at("eval_loss").get<double>()});
    } else {
      out.history.push_back(metrics_from_json(row));
    }
  }
  return out;
}

}  // namespace reveille::train
