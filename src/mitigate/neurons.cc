#include "mitigate/neurons.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/rng.h"
#include "mitigate/workspace.h"
#include "train/batches.h"
#include "train/token_pass.h"

namespace reveille::mitigate {
namespace {

constexpr std::int64_t kBatchTokens = 4096;

// Ends the watching, whatever happens.
class Watch {
 public:
  Watch(nn::Transformer& model, nn::MlpHook hook) : model_(model) { model_.watch_mlp(std::move(hook)); }
  ~Watch() { model_.watch_mlp(nullptr); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  nn::Transformer& model_;
};

std::vector<double> values_of(const at::Tensor& values) {
  const at::Tensor flat = values.to(at::kCPU, at::kDouble).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

// Indices of values by rising value; equal ones in their order.
std::vector<std::int64_t> rising(const std::vector<double>& values) {
  std::vector<std::int64_t> order(values.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return values[static_cast<std::size_t>(a)] < values[static_cast<std::size_t>(b)];
  });
  return order;
}

std::size_t part_of(std::size_t count, double share) {
  return static_cast<std::size_t>(std::llround(share * static_cast<double>(count)));
}

at::Tensor indices(const std::vector<std::int64_t>& values, at::Device device) {
  return at::tensor(values, at::kLong).to(device);
}

// The rows of gate_up that belong to these neurons.
std::vector<std::int64_t> input_rows(const nn::ModelConfig& config, const std::vector<std::int64_t>& neurons) {
  std::vector<std::int64_t> out = neurons;
  if (!config.gated_mlp) return out;
  for (const std::int64_t neuron : neurons) out.push_back(config.intermediate + neuron);
  return out;
}

void edit_rows(gen::LocalModel& model, const std::string& parameter, const std::vector<std::int64_t>& rows,
               const at::Tensor& with) {
  edit_weight(model, parameter, [&](const at::Tensor& weight) {
    const at::Tensor which = indices(rows, weight.device());
    if (!with.defined()) return weight.index_fill(0, which, 0);
    return weight.index_copy(0, which, with.detach().to(weight.device(), at::kFloat).index_select(0, which));
  });
}

}  // namespace

std::int64_t count_of(const Neurons& neurons) {
  std::int64_t count = 0;
  for (const auto& layer : neurons) count += std::ssize(layer);
  return count;
}

at::Tensor mean_activity(gen::LocalModel& model, const std::vector<train::Example>& examples) {
  at::NoGradGuard no_grad;
  auto& transformer = model.transformer();
  const auto& config = transformer.config();
  at::Tensor sums = at::zeros({config.layers, config.intermediate}, at::kDouble);
  std::int64_t tokens = 0;
  const Watch watch(transformer, [&](std::int64_t layer, const at::Tensor& inner) {
    sums[layer].add_(inner.to(at::kFloat).abs().sum(0).to(at::kCPU, at::kDouble));
  });
  for (const auto& group : train::groups_of(examples, kBatchTokens)) {
    throw_if_interrupted();
    const auto batch = train::pack(examples, group, transformer.device(), false);
    if (batch.supervised == 0) continue;
    // Without rows to pick, the last block does its MLP on all tokens, as the others do.
    transformer.hidden(batch.ids, batch.packing);
    tokens += batch.ids.size(0);
  }
  if (tokens == 0) fail(ErrorKind::numeric, "no clean row to see neurons at work on");
  return sums / static_cast<double>(tokens);
}

Neurons lowest_of_each(const at::Tensor& values, double share) {
  Neurons out;
  for (std::int64_t layer = 0; layer < values.size(0); ++layer) {
    auto order = rising(values_of(values[layer]));
    order.resize(part_of(order.size(), share));
    std::sort(order.begin(), order.end());
    out.push_back(std::move(order));
  }
  return out;
}

Neurons highest_of_all(const at::Tensor& values, double share) {
  const std::int64_t width = values.size(1);
  Neurons out(static_cast<std::size_t>(values.size(0)));
  const auto order = rising(values_of(-values));
  for (std::size_t i = 0; i < part_of(order.size(), share); ++i)
    out[static_cast<std::size_t>(order[i] / width)].push_back(order[i] % width);
  for (auto& layer : out) std::sort(layer.begin(), layer.end());
  return out;
}

Neurons random_of_each(std::int64_t layers, std::int64_t intermediate, double share, std::int64_t seed) {
  const Rng rng(static_cast<std::uint64_t>(seed), "random neurons");
  Neurons out;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(intermediate));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    rng.child(static_cast<std::uint64_t>(layer)).shuffle(all);
    all.resize(part_of(all.size(), share));
    std::sort(all.begin(), all.end());
    out.push_back(std::move(all));
  }
  return out;
}

void zero_neurons(gen::LocalModel& model, const Neurons& neurons) {
  const auto& params = model.transformer().params();
  for (std::size_t layer = 0; layer < neurons.size(); ++layer) {
    if (neurons[layer].empty()) continue;
    const std::string prefix = cat("layers.", layer, ".");
    const auto rows = input_rows(model.transformer().config(), neurons[layer]);
    edit_rows(model, prefix + "gate_up", rows, {});
    if (params.has(prefix + "gate_up.bias")) edit_rows(model, prefix + "gate_up.bias", rows, {});
    edit_weight(model, prefix + "down", [&](const at::Tensor& weight) {
      return weight.index_fill(1, indices(neurons[layer], weight.device()), 0);
    });
  }
}

void reset_neurons(gen::LocalModel& model, const gen::LocalModel& base, const Neurons& neurons) {
  for (std::size_t layer = 0; layer < neurons.size(); ++layer) {
    if (neurons[layer].empty()) continue;
    const std::string name = cat("layers.", layer, ".gate_up");
    const auto& params = base.transformer().params();
    if (!params.has(name) || params.at(name).spec.shape != model.transformer().params().at(name).spec.shape)
      fail(ErrorKind::bad_input, cat("the base ", base.name(), " has no '", name, "' like ", model.name(), "'s"),
           "name the very base that the model was made from, or none");
    const auto rows = input_rows(model.transformer().config(), neurons[layer]);
    edit_rows(model, name, rows, params.at(name).value);
    const std::string bias = name + ".bias";
    if (params.has(bias)) edit_rows(model, bias, rows, params.at(bias).value);
  }
}

}  // namespace reveille::mitigate
