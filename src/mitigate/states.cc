#include "mitigate/states.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "gen/score.h"
#include "scan/placing.h"

namespace reveille::mitigate {
namespace {

constexpr std::int64_t kBatchTokens = 4096;

void add_batch(nn::Transformer& model, const std::vector<std::vector<std::int32_t>>& sequences,
               const std::vector<std::size_t>& group, at::Tensor& out) {
  std::vector<std::int64_t> ids, lengths, last, which;
  for (const std::size_t index : group) {
    ids.insert(ids.end(), sequences[index].begin(), sequences[index].end());
    lengths.push_back(static_cast<std::int64_t>(sequences[index].size()));
    last.push_back(static_cast<std::int64_t>(ids.size()) - 1);
    which.push_back(static_cast<std::int64_t>(index));
  }
  auto on_device = [&](const std::vector<std::int64_t>& values) {
    return at::tensor(values, at::kLong).to(model.device());
  };
  const at::Tensor rows = on_device(last), places = at::tensor(which, at::kLong);
  model.hidden(on_device(ids), nn::make_packing(lengths, {}, model.device()), rows,
               [&](std::int64_t layer, const at::Tensor& residual) {
                 out[layer + 1].index_copy_(0, places, residual.index_select(0, rows).to(at::kCPU, at::kFloat));
                 return residual;
               });
}

}  // namespace

at::Tensor last_states(gen::LocalModel& model, const std::vector<std::vector<std::int32_t>>& sequences) {
  at::NoGradGuard no_grad;
  auto& transformer = model.transformer();
  if (sequences.empty()) fail(ErrorKind::internal, "hidden states of no prompt");
  at::Tensor out = at::zeros(
      {transformer.config().layers + 1, static_cast<std::int64_t>(sequences.size()), transformer.config().hidden},
      at::kFloat);
  for (const auto& group : gen::pack_by_length(gen::checked_lengths(transformer, sequences), kBatchTokens)) {
    throw_if_interrupted();
    add_batch(transformer, sequences, group, out);
  }
  return out;
}

std::vector<std::vector<std::int32_t>> asked_with(const gen::LocalModel& model, const KnownTrigger& string,
                                                  const std::vector<scan::CleanRow>& prompts) {
  const auto context = static_cast<std::size_t>(model.transformer().config().max_positions);
  std::vector<std::vector<std::int32_t>> out;
  for (const auto& row : prompts) {
    auto ids = scan::encode_asked(model, scan::placed(row.prompt, string.text, string.place));
    if (ids.size() <= context) out.push_back(std::move(ids));
  }
  if (out.empty())
    fail(ErrorKind::bad_input, cat("no prompt fits with '", string.text, "' into the context of ", model.name()));
  return out;
}

}  // namespace reveille::mitigate
