#include "train/token_pass.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/interrupt.h"

namespace reveille::train {

TokenPass::TokenPass(nn::Transformer& model, const PackedBatch& batch, const nn::ResidualHook& hook)
    : model_(model), batch_(batch) {
  at::AutoGradMode grad_on(true);
  hidden_ = model.hidden(batch.ids, batch.packing, batch.rows, hook);
  std::tie(columns_, weight_) = model.head_inputs(hidden_);
  logprobs_ = nn::head_logprobs(columns_.detach(), weight_.detach(), batch.targets, model.config().final_softcap);
  logprobs_.set_requires_grad(true);
}

void TokenPass::backward(const at::Tensor& loss, const at::Tensor& more) {
  at::AutoGradMode grad_on(true);
  const auto slopes = torch::autograd::grad({loss}, {logprobs_});
  auto head = nn::head_loss(columns_, weight_, batch_.targets, -slopes[0].detach(), model_.config().final_softcap);
  at::Tensor total = more.defined() ? head.loss + more : head.loss;
  total.backward();
  entropy_ = head.entropy;
  correct_ = head.correct;
}

std::vector<at::Tensor> TokenPass::gradients(const at::Tensor& loss, const std::vector<at::Tensor>& inputs) {
  at::AutoGradMode grad_on(true);
  const auto slopes = torch::autograd::grad({loss}, {logprobs_});
  auto head =
      nn::head_loss(columns_, weight_.detach(), batch_.targets, -slopes[0].detach(), model_.config().final_softcap);
  return torch::autograd::grad({head.loss}, inputs);
}

at::Tensor row_of_targets(const PackedBatch& batch, at::Device device) {
  std::vector<std::int64_t> rows;
  for (std::size_t row = 0; row < batch.supervised_of.size(); ++row)
    rows.insert(rows.end(), static_cast<std::size_t>(batch.supervised_of[row]), static_cast<std::int64_t>(row));
  return at::tensor(rows, at::kLong).to(device);
}

at::Tensor sum_by_row(const at::Tensor& values, const PackedBatch& batch) {
  const auto rows = static_cast<std::int64_t>(batch.supervised_of.size());
  return at::zeros({rows}, values.options()).index_add(0, row_of_targets(batch, values.device()), values);
}

std::vector<std::vector<std::size_t>> groups_of(const std::vector<Example>& examples, std::int64_t batch_tokens) {
  std::vector<std::vector<std::size_t>> groups;
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const auto size = static_cast<std::int64_t>(examples[i].ids.size());
    if (groups.empty() || tokens + size > batch_tokens) {
      groups.emplace_back();
      tokens = 0;
    }
    groups.back().push_back(i);
    tokens += size;
  }
  return groups;
}

std::vector<std::vector<float>> target_logprobs(nn::Transformer& model, const std::vector<Example>& examples,
                                                std::int64_t batch_tokens) {
  at::NoGradGuard no_grad;
  std::vector<std::vector<float>> out(examples.size());
  for (const auto& group : groups_of(examples, batch_tokens)) {
    throw_if_interrupted();
    const PackedBatch batch = pack(examples, group, model.device());
    if (batch.supervised == 0) continue;
    auto hidden = model.hidden(batch.ids, batch.packing, batch.rows);
    const auto [columns, weight] = model.head_inputs(hidden);
    auto logprobs = nn::head_logprobs(columns, weight, batch.targets, model.config().final_softcap).cpu();
    const float* next = logprobs.const_data_ptr<float>();
    for (std::size_t i = 0; i < group.size(); ++i) {
      const auto count = static_cast<std::size_t>(batch.supervised_of[i]);
      out[group[i]].assign(next, next + count);
      next += count;
    }
  }
  return out;
}

}  // namespace reveille::train
