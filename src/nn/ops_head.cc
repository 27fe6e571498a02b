// Cross-entropy through the output head. A chunk's logits come from one product that leaves the
// sums for softmax behind (kernels_head.h); their gradient overwrites them and goes through two
// more products at once, so that backward only scales.
#include <torch/csrc/autograd/custom_function.h>

#include "base/error.h"
#include "nn/ops.h"
#include "nn/ops_stock.h"
#include "nn/ops_support.h"

namespace reveille::nn {
namespace {

constexpr std::int64_t kMostRows = 1024;           // of a chunk
constexpr std::int64_t kLogitBytes = 128'000'000;  // of a chunk, about

// Chunks of equal size, within both limits.
std::int64_t chunk_rows(std::int64_t rows, std::int64_t vocab) {
  const std::int64_t most = std::clamp<std::int64_t>(kLogitBytes / (2 * vocab), 32, kMostRows);
  const std::int64_t chunks = std::max<std::int64_t>(1, (rows + most - 1) / most);
  return std::max<std::int64_t>(1, (rows + chunks - 1) / chunks);
}

struct HeadRun {
  at::Tensor hidden, weight, targets, row_weights;  // contiguous; hidden in weight's type
  double softcap;
  at::Tensor logprobs, entropy, correct;  // results; undefined where not wanted
};

// Runs the kernels over rows first .. first + count; `logits`, where defined, ends as the gradient.
void run_chunk(HeadRun& run, std::int64_t first, std::int64_t count, at::Tensor logits) {
  const kernels::Table& table = kernels::table();
  const bool half = run.weight.scalar_type() == at::kBFloat16;
  const kernels::PanelKernels& kernel = half ? table.half_panels : table.panels;
  const std::int64_t vocab = run.weight.size(0), inner = run.weight.size(1);
  const std::int64_t panels = (vocab + kernel.panel_width - 1) / kernel.panel_width;
  at::Tensor x = run.hidden.narrow(0, first, count).to(kernel.half_scalars ? at::kBFloat16 : at::kFloat);
  at::Tensor stats = at::empty({count, 3, panels}, at::kFloat), target_logits = at::empty({count}, at::kFloat);
  kernels::Head args;
  args.x = x.const_data_ptr();
  args.weight = as_in(run.weight);
  args.rows = count;
  args.inner = inner;
  args.vocab = vocab;
  args.targets = run.targets.const_data_ptr<std::int64_t>() + first;
  args.softcap = static_cast<float>(run.softcap);
  args.panel_stats = stats.mutable_data_ptr<float>();
  args.target_logits = target_logits.mutable_data_ptr<float>();
  args.logits = as_out(logits);
  if (run.row_weights.defined()) args.row_weights = run.row_weights.const_data_ptr<float>() + first;
  args.logprobs = run.logprobs.mutable_data_ptr<float>() + first;
  if (run.entropy.defined()) args.entropy = run.entropy.mutable_data_ptr<float>() + first;
  if (run.correct.defined()) args.correct = run.correct.mutable_data_ptr<bool>() + first;
  over_tasks(panels, kernel.scratch_bytes(inner),
             [&](std::int64_t panel, void* scratch) { kernel.head_panel(args, panel, scratch); });
  at::parallel_for(0, count, 8, [&](std::int64_t from, std::int64_t to) { kernel.head_rows(args, from, to); });
}

HeadRun prepare(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets, double softcap) {
  HeadRun run{hidden.detach().to(weight.scalar_type()).contiguous(),
              weight.detach().contiguous(),
              targets.contiguous(),
              {},
              softcap,
              at::empty({hidden.size(0)}, at::kFloat),
              {},
              {}};
  const auto* ids = run.targets.const_data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < hidden.size(0); ++row)
    if (ids[row] < 0 || ids[row] >= weight.size(0))
      fail(ErrorKind::internal,
           cat("target ", ids[row], " of row ", row, " is outside the vocabulary of ", weight.size(0)));
  return run;
}

struct HeadGrads {
  at::Tensor hidden, weight;
};

// Where one chunk holds all rows its products are the gradients; otherwise the weight's are summed
// in float32.
HeadGrads run_training(HeadRun& run, bool wants_hidden, bool wants_weight) {
  const std::int64_t rows = run.hidden.size(0), vocab = run.weight.size(0), chunk = chunk_rows(rows, vocab);
  HeadGrads grads;
  if (wants_hidden) grads.hidden = at::empty_like(run.hidden);
  at::Tensor logits = at::empty({std::min(chunk, rows), vocab}, run.weight.options());
  for (std::int64_t first = 0; first < rows; first += chunk) {
    const std::int64_t count = std::min(chunk, rows - first);
    at::Tensor part = logits.narrow(0, 0, count), hidden = run.hidden.narrow(0, first, count);
    run_chunk(run, first, count, part);
    if (wants_hidden) {
      at::Tensor out = grads.hidden.narrow(0, first, count);
      at::mm_out(out, part, run.weight);
    }
    if (!wants_weight) continue;
    at::Tensor d_weight = at::mm(part.t(), hidden);
    if (!grads.weight.defined()) {
      grads.weight = rows <= chunk ? d_weight : d_weight.to(at::kFloat);
    } else {
      grads.weight.add_(d_weight);
    }
  }
  if (wants_weight && rows == 0) grads.weight = at::zeros_like(run.weight);
  return grads;
}

void run_scoring(HeadRun& run) {
  const std::int64_t rows = run.hidden.size(0);
  for (std::int64_t first = 0; first < rows; first += kMostRows)
    run_chunk(run, first, std::min(kMostRows, rows - first), {});
}

// Sum in float64, in row order; a row of weight 0 is left out even where its loss is infinite.
at::Tensor weighted_loss(const at::Tensor& logprobs, const at::Tensor& row_weights) {
  const float *log_p = logprobs.const_data_ptr<float>(), *weight = row_weights.const_data_ptr<float>();
  double sum = 0;
  for (std::int64_t row = 0; row < logprobs.numel(); ++row)
    if (weight[row] != 0) sum -= static_cast<double>(weight[row]) * static_cast<double>(log_p[row]);
  return at::full({}, sum, at::kFloat);
}

struct HeadFunction : torch::autograd::Function<HeadFunction> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context, const at::Tensor& hidden,
                                                const at::Tensor& weight, const at::Tensor& targets,
                                                const at::Tensor& row_weights, double softcap, bool wants_hidden,
                                                bool wants_weight) {
    HeadRun run = prepare(hidden, weight, targets, softcap);
    run.row_weights = row_weights.detach().to(at::kFloat).contiguous();
    run.entropy = at::empty_like(run.logprobs);
    run.correct = at::empty({hidden.size(0)}, at::kBool);
    if (wants_hidden || wants_weight) {
      HeadGrads grads = run_training(run, wants_hidden, wants_weight);
      context->saved_data["hidden"] = grads.hidden;
      context->saved_data["weight"] = grads.weight;
    } else {
      run_scoring(run);
    }
    context->mark_non_differentiable({run.logprobs, run.correct, run.entropy});
    return {weighted_loss(run.logprobs, run.row_weights), run.logprobs, run.correct, run.entropy};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const double factor = grads[0].item<double>();
    auto scaled = [&](const char* key) {
      at::Tensor grad = context->saved_data[key].toTensor();
      return grad.defined() && factor != 1 ? grad * factor : grad;
    };
    return {scaled("hidden"), scaled("weight"), {}, {}, {}, {}, {}};
  }
};

bool kernel_can(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets) {
  return kernels_take(KernelLevel::avx2, {hidden, weight}) && targets.is_cpu() && weight.size(1) % 2 == 0;
}

}  // namespace

HeadLoss head_loss(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                   const at::Tensor& row_weights, double softcap) {
  if (!kernel_can(hidden, weight, targets)) return stock::head_loss(hidden, weight, targets, row_weights, softcap);
  auto out =
      HeadFunction::apply(hidden, weight, targets, row_weights, softcap, needs_grad({hidden}), needs_grad({weight}));
  return {out[0], out[1], out[2], out[3]};
}

at::Tensor head_logprobs(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                         double softcap) {
  if (!kernel_can(hidden, weight, targets)) return stock::head_logprobs(hidden, weight, targets, softcap);
  at::NoGradGuard no_grad;
  HeadRun run = prepare(hidden, weight, targets, softcap);
  run_scoring(run);
  return run.logprobs;
}

}  // namespace reveille::nn
