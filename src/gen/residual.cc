#include "gen/residual.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "gen/score.h"

namespace reveille::gen {
namespace {

// [sequences, hidden] on the CPU, for the sequences of one batch laid end to end.
at::Tensor residuals_of(nn::Transformer& model, const std::vector<std::vector<std::int32_t>>& sequences,
                        const std::vector<std::size_t>& group, std::int64_t layer) {
  std::vector<std::int64_t> ids, lengths, last;
  for (const std::size_t index : group) {
    ids.insert(ids.end(), sequences[index].begin(), sequences[index].end());
    lengths.push_back(static_cast<std::int64_t>(sequences[index].size()));
    last.push_back(static_cast<std::int64_t>(ids.size()) - 1);
  }
  auto on_device = [&](const auto& values) { return at::tensor(values, at::kLong).to(model.device()); };
  const at::Tensor rows = on_device(last);
  at::Tensor out;
  model.hidden(on_device(ids), nn::make_packing(lengths, {}, model.device()), rows,
               [&](std::int64_t block, const at::Tensor& residual) {
                 if (block == layer - 1) out = residual.index_select(0, rows).to(at::kCPU, at::kFloat).contiguous();
                 return residual;
               });
  return out;
}

}  // namespace

std::vector<std::vector<float>> last_residuals(nn::Transformer& model,
                                               const std::vector<std::vector<std::int32_t>>& sequences,
                                               std::int64_t layer, std::int64_t batch_tokens,
                                               const std::function<void(std::size_t)>& on_batch) {
  at::NoGradGuard no_grad;
  if (layer < 0 || layer > model.config().layers) {
    fail(ErrorKind::usage, cat("layer ", layer, ": the model has ", model.config().layers, " blocks"));
  }
  std::vector<std::vector<float>> out(sequences.size());
  for (const auto& group : pack_by_length(checked_lengths(model, sequences), batch_tokens)) {
    throw_if_interrupted();
    const at::Tensor values = residuals_of(model, sequences, group, layer);
    const std::int64_t width = values.size(1);
    for (std::size_t i = 0; i < group.size(); ++i) {
      const float* row = values.const_data_ptr<float>() + static_cast<std::int64_t>(i) * width;
      out[group[i]].assign(row, row + width);
    }
    if (on_batch) on_batch(group.size());
  }
  return out;
}

}  // namespace reveille::gen
