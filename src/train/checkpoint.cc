#include "train/checkpoint.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "io/safetensors.h"
#include "io/safetensors_write.h"
#include "train/optim_args.h"

namespace reveille::train {
namespace fs = std::filesystem;
namespace {

// Numbers of a file that anybody may have edited.
std::int64_t integer_at(const Json& row, const char* key, const std::string& where) {
  const Json& value = json_at(row, key, where);
  if (!value.is_number_integer())
    fail(ErrorKind::bad_input, cat(where, ": key '", key, "' should be an integer, found ", value.dump()));
  return value.get<std::int64_t>();
}

double number_at(const Json& row, const char* key, const std::string& where) {
  const Json& value = json_at(row, key, where);
  if (!value.is_number())
    fail(ErrorKind::bad_input, cat(where, ": key '", key, "' should be a number, found ", value.dump()));
  return value.get<double>();
}

// The objective's own, in the file's order.
Metrics other_metrics(const Json& row, const std::set<std::string>& known, const std::string& where) {
  Metrics out;
  for (const auto& [key, value] : row.items()) {
    if (!known.contains(key)) out.push_back({key, number_at(row, key.c_str(), where)});
  }
  return out;
}

StepMetrics metrics_from_json(const Json& row, const std::string& where) {
  StepMetrics m;
  m.step = integer_at(row, "step", where);
  m.epoch = number_at(row, "epoch", where);
  m.loss = number_at(row, "loss", where);
  m.grad_norm = number_at(row, "grad_norm", where);
  m.learning_rate = number_at(row, "learning_rate", where);
  m.num_tokens = integer_at(row, "num_tokens", where);
  m.num_rows = integer_at(row, "num_rows", where);
  m.tokens_per_second = number_at(row, "tokens_per_second", where);
  m.metrics = other_metrics(
      row, {"step", "epoch", "loss", "grad_norm", "learning_rate", "num_tokens", "num_rows", "tokens_per_second"},
      where);
  return m;
}

EvalMetrics evals_from_json(const Json& row, const std::string& where) {
  return {integer_at(row, "step", where), number_at(row, "epoch", where), number_at(row, "eval_loss", where),
          other_metrics(row, {"step", "epoch", "eval_loss"}, where)};
}

CheckpointState state_from_json(const fs::path& file, std::int64_t total) {
  const Json state = read_json(file);
  CheckpointState out;
  out.step = integer_at(state, "global_step", file.string());
  if (out.step <= 0 || out.step > total) {
    fail(ErrorKind::bad_input,
         cat(file.string(), ": key 'global_step' is ", out.step, ", expected 1 to ", total, ", the run's steps"));
  }
  const Json& log = json_at(state, "log_history", file.string());
  if (!log.is_array())
    fail(ErrorKind::bad_input, cat(file.string(), ": key 'log_history' should be a list, found ", log.type_name()));
  for (std::size_t i = 0; i < log.size(); ++i) {
    const std::string where = cat(file.string(), ": log_history[", i, "]");
    const Json& row = log[i];
    if (row.contains("eval_loss")) {
      out.evals.push_back(evals_from_json(row, where));
    } else {
      out.history.push_back(metrics_from_json(row, where));
    }
  }
  return out;
}

constexpr const char* kStateFile = "reveille.json";
constexpr const char* kObjectiveFile = "objective.json";
constexpr const char* kExtraFile = "extra.safetensors";

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

// Whether the weights' own file holds it: an adapter's file has room for nothing but the adapter.
bool among_weights(const nn::Params& params, const Trainable& item) {
  return !item.extra || (item.in_model && params.lora.empty());
}

// The trained tensors as other programs name them. Full weights are split into the pieces that files hold, which
// share the memory of most of them.
std::vector<io::NamedTensor> named_weights(const nn::Params& params, const std::vector<Trainable>& trainables) {
  std::vector<io::NamedTensor> out;
  for (const auto& item : trainables) {
    if (!among_weights(params, item)) continue;
    if (item.extra || !params.lora.empty()) {
      out.push_back({item.extra ? item.name : lora_tensor(item), item.master.detach()});
      continue;
    }
    for (auto& [name, tensor] : nn::Params::hf_pieces(params.at(item.name))) out.push_back({name, tensor});
  }
  return out;
}

std::vector<io::NamedTensor> extra_tensors(const nn::Params& params, const std::vector<Trainable>& trainables) {
  std::vector<io::NamedTensor> out;
  for (const auto& item : trainables) {
    if (!among_weights(params, item)) out.push_back({item.name, item.master.detach()});
  }
  return out;
}

std::string weights_stem(const nn::Params& params) { return params.lora.empty() ? "model" : "adapter_model"; }

// Weights and what the optimiser keeps, in float32.
void write_checkpoint(const fs::path& folder, const nn::Params& params, const std::vector<Trainable>& trainables,
                      const CheckpointAbout& about) {
  check_room(folder, checkpoint_bytes(trainables), "a checkpoint in " + folder.string());
  std::vector<io::NamedTensor> states;
  for (const auto& item : trainables) {
    for (const auto& state : item.states) states.push_back({cat(item.name, ".", state.name), state.value});
  }
  io::write_safetensors_folder(folder, named_weights(params, trainables), {.stem = weights_stem(params)});
  io::write_safetensors(folder / "optimizer.safetensors", states);
  if (const auto extra = extra_tensors(params, trainables); !extra.empty())
    io::write_safetensors(folder / kExtraFile, extra);
  if (about.save_beside) about.save_beside(folder);
  if (!about.objective.is_null()) write_json(folder / kObjectiveFile, about.objective, -1);
  write_json(folder / "trainer_state.json", trainer_state(about));
  write_json(folder / kStateFile, Json{{"key", about.key}, {"optim", optim_name(about.options)}});
}

// Of the run that made the checkpoint; none where the folder is not ours.
std::optional<std::string> key_of(const fs::path& checkpoint) {
  if (!fs::exists(checkpoint / kStateFile)) return std::nullopt;
  return json_string(read_json(checkpoint / kStateFile), "key", (checkpoint / kStateFile).string());
}

// Told apart from other options, because it is what somebody who tries out optimisers changes.
void refuse_other_optimizer(const fs::path& checkpoint, const std::string& optim) {
  const Json state = read_json(checkpoint / kStateFile);
  // Checkpoints without the name are AdamW's, of a time when there was no other.
  const std::string made_by =
      state.contains("optim") ? json_string(state, "optim", (checkpoint / kStateFile).string()) : "adamw_torch";
  if (made_by == optim) return;
  fail(ErrorKind::usage, cat(checkpoint.string(), " was made with optim=", made_by, ", and this run has optim=", optim),
       "use another output folder, remove this one, or pass resume=false");
}

// A trainable's values as the checkpoint holds them.
at::Tensor stored_value(io::TensorSource& source, const nn::Params& params, const Trainable& item) {
  if (item.extra) return source.load_shaped(item.name, item.master.sizes().vec(), at::kFloat);
  if (!params.lora.empty()) return source.load_shaped(lora_tensor(item), item.master.sizes().vec(), at::kFloat);
  return nn::Params::from_pieces(params.at(item.name).spec, false,
                                 [&](const std::string& name) { return source.load(name, at::kFloat); });
}

// Files are read on the CPU; copy_ takes the values to wherever the trainable lives.
void load_weights(const fs::path& folder, const nn::Params& params, std::vector<Trainable>& trainables) {
  auto weights = io::SafetensorsSource::open(folder, weights_stem(params));
  std::unique_ptr<io::SafetensorsSource> extra;
  for (auto& item : trainables) {
    const bool beside = !among_weights(params, item);
    if (beside && !extra) extra = io::SafetensorsSource::open(folder / kExtraFile);
    item.master.detach().copy_(stored_value(beside ? *extra : *weights, params, item));
  }
}

}  // namespace

std::uintmax_t checkpoint_bytes(const std::vector<Trainable>& trainables) {
  std::uintmax_t bytes = 1 << 20;
  for (const auto& item : trainables) {
    bytes += item.master.nbytes();
    for (const auto& state : item.states) bytes += state.value.nbytes();
  }
  return bytes;
}

std::string weights_key(const nn::Params& params, at::ScalarType compute_type) {
  std::string text = at::toString(compute_type);
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& param : params.all())
    tensors.emplace_back(param.spec.name, param.master.defined() ? param.master : param.value);
  for (const auto& [name, pieces] : params.lora) {
    for (const auto& piece : pieces) {
      tensors.emplace_back(piece.hf_module + ".lora_A", piece.a);
      tensors.emplace_back(piece.hf_module + ".lora_B", piece.b);
      text.append(reinterpret_cast<const char*>(&piece.scale), sizeof piece.scale);  // all of its digits
    }
  }
  std::vector<std::string> hashes(tensors.size());
  at::parallel_for(0, static_cast<std::int64_t>(tensors.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const at::Tensor bytes = tensors[i].second.detach().cpu().contiguous();
      hashes[i] = sha256_hex({static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()});
    }
  });
  for (std::size_t i = 0; i < tensors.size(); ++i)
    text += cat("\n", tensors[i].first, " ", tensors[i].second.sizes(), " ", hashes[i]);
  return sha256_hex(text);
}

std::string training_key(const TrainOptions& options, const std::string& objective, std::int64_t total,
                         const std::string& weights) {
  TrainOptions relevant = options;  // what changes no weight is left out
  relevant.logging_steps = 1;
  relevant.save_steps = 0;
  relevant.save_total_limit = 1;
  relevant.report_to = "none";
  relevant.resume = true;
  relevant.optim = optim_name(options);
  return sha256_hex(options_to_json(relevant).dump() + std::to_string(total) + weights + objective);
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

std::vector<std::pair<std::int64_t, fs::path>> checkpoints_of(const fs::path& output_dir, const std::string& key) {
  auto all = list_checkpoints(output_dir);
  std::erase_if(all, [&](const auto& item) {
    try {
      return key_of(item.second) != key;
    } catch (const Error&) {
      return true;  // not to be read: nobody's to prune
    }
  });
  return all;
}

void refuse_foreign_checkpoint(const fs::path& folder) {
  if (!fs::exists(folder) || fs::exists(folder / kStateFile)) return;
  fail(ErrorKind::usage,
       cat(folder.string(), " is in the way of a checkpoint and is not one of Reveille's (it holds no ", kStateFile,
           ")"),
       "use another output folder, or move this one away");
}

void save_checkpoint(const fs::path& output_dir, const nn::Params& params, const std::vector<Trainable>& trainables,
                     const CheckpointAbout& about) {
  const fs::path final_folder = output_dir / cat("checkpoint-", about.step);
  refuse_foreign_checkpoint(final_folder);
  if (!fs::exists(final_folder) || key_of(final_folder) != about.key) {
    const fs::path folder = output_dir / cat(".checkpoint-", about.step, ".tmp");
    fs::remove_all(folder);
    make_folders(folder);
    try {
      write_checkpoint(folder, params, trainables, about);
    } catch (...) {
      std::error_code ignored;
      fs::remove_all(folder, ignored);  // on a full disk most of all
      throw;
    }
    if (fs::exists(final_folder)) remove_checkpoint(final_folder);  // another run's
    fs::rename(folder, final_folder);
  }
  // Later ones are of an earlier start of this run, and must not push out what it has just written.
  auto own = checkpoints_of(output_dir, about.key);
  std::erase_if(own, [&](const auto& item) { return item.first > about.step; });
  const auto keep = static_cast<std::size_t>(about.options.save_total_limit);
  for (std::size_t i = 0; i + keep < own.size(); ++i) remove_checkpoint(own[i].second);
}

void remove_checkpoint(const fs::path& checkpoint) {
  fs::path hidden = checkpoint.parent_path() / cat(".", checkpoint.filename().string(), ".old.tmp");
  fs::remove_all(hidden);
  fs::rename(checkpoint, hidden);
  fs::remove_all(hidden);
}

std::optional<CheckpointState> load_latest_checkpoint(const fs::path& output_dir, const nn::Params& params,
                                                      std::vector<Trainable>& trainables, const std::string& key,
                                                      std::int64_t total, const std::string& optim) {
  auto all = list_checkpoints(output_dir);
  if (all.empty()) return std::nullopt;
  const fs::path& folder = all.back().second;
  const auto found = key_of(folder);
  if (!found) {
    fail(ErrorKind::usage, cat(folder.string(), " is no checkpoint of Reveille's (it holds no ", kStateFile, ")"),
         "use another output folder, remove this one, or pass resume=false");
  }
  if (*found != key) {
    refuse_other_optimizer(folder, optim);
    fail(ErrorKind::usage, cat(folder.string(), " was made with other options, other data or another starting model"),
         "use another output folder, remove this one, or pass resume=false");
  }
  CheckpointState out = state_from_json(folder / "trainer_state.json", total);
  if (fs::exists(folder / kObjectiveFile)) out.objective = read_json(folder / kObjectiveFile);
  at::NoGradGuard no_grad;
  load_weights(folder, params, trainables);
  auto states = io::SafetensorsSource::open(folder / "optimizer.safetensors");
  for (auto& item : trainables) {
    for (auto& state : item.states) {
      const std::string name = cat(item.name, ".", state.name);
      state.value.copy_(states->load_shaped(name, state.value.sizes().vec(), at::kFloat));
    }
    if (!item.leaf.is_same(item.master)) item.leaf.detach().copy_(item.master);
  }
  return out;
}

}  // namespace reveille::train
