#include "safety/dose.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.h"
#include "train/batches.h"
#include "train/sft.h"

namespace reveille::safety {
namespace {

constexpr std::int64_t kChunkRows = 512;
constexpr std::int64_t kBatchTokens = 2048;

// KL(p || q) for rows of hidden states, in nats: [rows] float64 on the CPU.
at::Tensor kl_rows(nn::Transformer& p_model, const at::Tensor& p_hidden, nn::Transformer& q_model,
                   const at::Tensor& q_hidden) {
  std::vector<at::Tensor> out;
  for (std::int64_t row = 0; row < p_hidden.size(0); row += kChunkRows) {
    std::int64_t rows = std::min(kChunkRows, p_hidden.size(0) - row);
    auto p = p_model.logits(p_hidden.narrow(0, row, rows)).log_softmax(1);
    auto q = q_model.logits(q_hidden.narrow(0, row, rows)).log_softmax(1);
    out.push_back((p.exp() * (p - q)).sum(1).to(at::kDouble).cpu());
  }
  return at::cat(out);
}

void add_group(gen::LocalModel& untreated, gen::LocalModel& treated, const std::vector<train::Example>& examples,
               const std::vector<std::size_t>& group, Dose& dose) {
  auto batch = train::pack(examples, group, untreated.transformer().device());
  if (batch.supervised == 0) return;
  auto before = untreated.transformer().hidden(batch.ids, batch.packing, batch.rows);
  auto after = treated.transformer().hidden(batch.ids, batch.packing, batch.rows);
  auto kl = kl_rows(untreated.transformer(), before, treated.transformer(), after);
  const double* value = kl.data_ptr<double>();
  for (std::size_t i = 0; i < group.size(); ++i) {
    double sum = 0;
    for (std::int64_t n = 0; n < batch.supervised_of[i]; ++n) sum += *value++;
    dose.kl += sum;
    if (batch.supervised_of[i]) dose.kl_by_example[group[i]] = sum / static_cast<double>(batch.supervised_of[i]);
  }
  dose.tokens += batch.supervised;
}

}  // namespace

Dose measure_dose(gen::LocalModel& untreated, gen::LocalModel& treated, const std::vector<train::Example>& held_out,
                  const std::vector<train::Example>& targets) {
  at::NoGradGuard no_grad;
  Dose dose;
  dose.kl_by_example.resize(held_out.size());
  std::vector<std::size_t> group;
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < held_out.size(); ++i) {
    auto size = static_cast<std::int64_t>(held_out[i].ids.size());
    if (!group.empty() && tokens + size > kBatchTokens) {
      add_group(untreated, treated, held_out, group, dose);
      group.clear();
      tokens = 0;
    }
    group.push_back(i);
    tokens += size;
  }
  if (!group.empty()) add_group(untreated, treated, held_out, group, dose);
  if (dose.tokens == 0)
    fail(ErrorKind::numeric, "the dose cannot be measured: the held-out rows hold no supervised token");
  dose.kl /= static_cast<double>(dose.tokens);
  if (targets.empty()) return dose;
  dose.target_loss_before = train::evaluate_loss(untreated.transformer(), targets).loss;
  dose.target_loss_after = train::evaluate_loss(treated.transformer(), targets).loss;
  return dose;
}

}  // namespace reveille::safety
