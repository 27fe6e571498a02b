#include "io/peft.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <set>

#include "base/error.h"

namespace reveille::io {
namespace fs = std::filesystem;
namespace {

const std::string kPrefix = "base_model.model.";
const std::string kA = ".lora_A.weight";
const std::string kB = ".lora_B.weight";

std::string tensor_name(const std::string& module, const std::string& part) { return kPrefix + module + part; }

// The module of "base_model.model.<module>.lora_A.weight", or "" for another name.
std::string module_of(const std::string& name, const std::string& part) {
  if (!name.starts_with(kPrefix) || !name.ends_with(part) || name.size() <= kPrefix.size() + part.size()) return "";
  return name.substr(kPrefix.size(), name.size() - kPrefix.size() - part.size());
}

void check_shapes(const PeftAdapter& adapter, const std::string& module) {
  const TensorInfo& a = adapter.tensors->info(tensor_name(module, kA));
  const TensorInfo& b = adapter.tensors->info(tensor_name(module, kB));
  std::int64_t rank = adapter.config.rank_of(module);
  if (a.shape.size() != 2 || b.shape.size() != 2 || a.shape[0] != rank || b.shape[1] != rank) {
    fail(ErrorKind::bad_input, cat(a.file, ": '", module, "' has lora_A of shape ", shape_text(a.shape),
                                   " and lora_B of shape ", shape_text(b.shape), ", expected [", rank,
                                   ", in] and [out, ", rank, "] (adapter_config.json gives it rank ", rank, ")"));
  }
  if (!adapter.config.targets(module)) {
    fail(ErrorKind::bad_input, cat(a.file, ": '", module,
                                   "' has weights, but target_modules of adapter_config.json "
                                   "does not name it"));
  }
}

void collect_modules(PeftAdapter& adapter) {
  for (const std::string& name : adapter.tensors->names()) {
    std::string of_a = module_of(name, kA), of_b = module_of(name, kB);
    if (of_a.empty() && of_b.empty()) {
      fail(ErrorKind::unsupported,
           cat(adapter.tensors->info(name).file, ": tensor '", name,
               "' is no LoRA weight of a linear layer (expected '", kPrefix, "<layer>", kA, "' or '", kB, "')"),
           "merge the adapter into its base (merge_and_unload of peft) and use the merged model");
    }
    if (!of_a.empty()) adapter.modules.push_back(of_a);
    // Error(bad_input) naming the partner that is missing.
    adapter.tensors->info(of_a.empty() ? tensor_name(of_b, kA) : tensor_name(of_a, kB));
  }
  if (adapter.modules.empty()) {
    fail(ErrorKind::bad_input, cat(adapter.path.string(), ": the adapter holds no weights"),
         "it was saved empty: train it again");
  }
  for (const std::string& module : adapter.modules) check_shapes(adapter, module);
}

void check_weights(const PeftConfig& config, const std::vector<LoraWeights>& weights, bool allow_empty) {
  bool empty = true;
  std::set<std::string> seen;
  for (const auto& [module, a, b, scaling] : weights) {
    bool good = a.dim() == 2 && b.dim() == 2 && a.size(0) == b.size(1) && a.size(0) == config.rank_of(module);
    if (!good || !config.targets(module) || !seen.insert(module).second) {
      fail(ErrorKind::internal, cat("write_peft_adapter: '", module, "' does not agree with the adapter's settings"));
    }
    if (!a.isfinite().all().item<bool>() || !b.isfinite().all().item<bool>()) {
      fail(ErrorKind::numeric, cat("the adapter of '", module, "' holds NaN or infinity"), "training diverged");
    }
    empty = empty && !b.ne(0).any().item<bool>();
  }
  if (empty && !allow_empty) {
    fail(ErrorKind::numeric, "the adapter to be saved changes nothing: it has no weights, or all of lora_B are zero",
         "training moved none of its parameters: check learning_rate, max_steps and target_modules");
  }
}

}  // namespace

bool is_peft_folder(const fs::path& folder) { return fs::is_regular_file(folder / "adapter_config.json"); }

LoraWeights PeftAdapter::load(const std::string& module) {
  return {module, tensors->load(tensor_name(module, kA), at::kFloat),
          tensors->load(tensor_name(module, kB), at::kFloat), config.scaling_of(module)};
}

PeftAdapter open_peft_adapter(const fs::path& folder) {
  fs::path config = folder / "adapter_config.json";
  if (!is_peft_folder(folder)) {
    fail(ErrorKind::not_found, cat(folder.string(), " holds no adapter_config.json, which an adapter folder should"));
  }
  PeftAdapter adapter;
  adapter.path = folder;
  adapter.config_json = read_json(config);
  adapter.config = parse_peft_config(adapter.config_json, config.string());
  adapter.tensors = SafetensorsSource::open(folder, "adapter_model");
  collect_modules(adapter);
  return adapter;
}

void write_peft_adapter(const fs::path& folder, const PeftConfig& config, const std::vector<LoraWeights>& weights,
                        const Json& extra, bool allow_empty) {
  check_weights(config, weights, allow_empty);
  std::vector<NamedTensor> tensors;
  for (const auto& [module, a, b, scaling] : weights) {
    tensors.push_back({tensor_name(module, kA), a});
    tensors.push_back({tensor_name(module, kB), b});
  }
  write_safetensors(folder / "adapter_model.safetensors", tensors);
  write_json(folder / "adapter_config.json", peft_config_json(config, extra));
}

}  // namespace reveille::io
