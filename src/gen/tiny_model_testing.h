// The tiny random checkpoints of tests/reference/models, and what transformers computes with
// them (make_model_fixtures.py there says what and how).
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/hf_folder.h"
#include "nn/architecture.h"
#include "nn/transformer.h"

namespace reveille::gen::testing {

inline const std::string kModels = "tests/reference/models/";

// All weights of the file must find their place in the model.
inline nn::Transformer tiny_model(const std::string& name) {
  auto folder = io::open_hf_folder(kModels + name);
  const auto& architecture = nn::architecture_for_hf(folder.config, name);
  nn::ModelConfig config = architecture.from_hf(folder.config, name);
  nn::check_config(config, name);
  nn::Params params(architecture.params(config));
  for (auto& param : params.all()) {
    param.value = nn::Params::from_pieces(
        param.spec, false, [&](const std::string& piece) { return folder.tensors->load(piece, at::kFloat); });
  }
  folder.tensors->verify_all_used();
  return nn::Transformer(std::move(config), std::move(params), at::kFloat, at::kCPU);
}

inline std::unique_ptr<io::SafetensorsSource> tiny_reference(const std::string& name) {
  return io::SafetensorsSource::open(kModels + name + "/reference.safetensors");
}

// Token ids within the tiny vocabulary of 99, the same for the same arguments.
inline std::vector<std::int32_t> tiny_ids(int length, int start = 11) {
  std::vector<std::int32_t> ids;
  for (int i = 0; i < length; ++i) ids.push_back((i * 37 + i * i * 5 + start) % 99);
  return ids;
}

// The stock operators while it lives, or the kernels.
class Operators {
 public:
  explicit Operators(bool stock) { nn::force_stock_operators(stock); }
  ~Operators() { nn::force_stock_operators(false); }
  Operators(const Operators&) = delete;
  Operators& operator=(const Operators&) = delete;
};

}  // namespace reveille::gen::testing
