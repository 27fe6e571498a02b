// Embedding rows. The gradient is dense, as autograd adds it to the head's where the two are
// tied, but only rows that were used are summed.
#include <torch/csrc/autograd/custom_function.h>

#include <numeric>
#include <vector>

#include "base/error.h"
#include "nn/ops.h"
#include "nn/ops_stock.h"
#include "nn/ops_support.h"

namespace reveille::nn {
namespace {

at::Tensor run_forward(const at::Tensor& ids, const at::Tensor& weight, double scale) {
  const std::int64_t rows = ids.numel(), width = weight.size(1), vocab = weight.size(0);
  const auto* id = ids.const_data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < rows; ++row)
    if (id[row] < 0 || id[row] >= vocab)
      fail(ErrorKind::bad_input, cat("token id ", id[row], " at row ", row, " is outside the vocabulary of ", vocab));
  at::Tensor out = at::empty({rows, width}, weight.options().dtype(at::kFloat));
  const kernels::Gather args{as_in(weight), out.mutable_data_ptr<float>(), id, width, static_cast<float>(scale)};
  const auto kernel = kernels::table().gather;
  over_rows(rows, width, [&](std::int64_t first, std::int64_t last) { kernel(args, first, last); });
  return out;
}

struct EmbedFunction : torch::autograd::Function<EmbedFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& ids, const at::Tensor& weight,
                            double scale) {
    context->save_for_backward({ids});
    context->saved_data["scale"] = scale;
    context->saved_data["vocab"] = weight.size(0);
    context->saved_data["type"] = weight.scalar_type();
    return run_forward(ids, weight, scale);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    at::Tensor ids = context->get_saved_variables()[0], dy = grads[0].to(at::kFloat).contiguous();
    const std::int64_t rows = ids.numel(), width = dy.size(1);
    const auto* id = ids.const_data_ptr<std::int64_t>();
    std::vector<std::int64_t> order(rows), runs;
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [id](auto a, auto b) { return id[a] < id[b]; });
    for (std::int64_t i = 0; i < rows; ++i)
      if (i == 0 || id[order[i]] != id[order[i - 1]]) runs.push_back(i);
    const auto count = static_cast<std::int64_t>(runs.size());
    runs.push_back(rows);
    at::Tensor grad = at::zeros({context->saved_data["vocab"].toInt(), width},
                                dy.options().dtype(context->saved_data["type"].toScalarType()));
    kernels::Scatter args{dy.const_data_ptr<float>(),
                          as_out(grad),
                          id,
                          order.data(),
                          runs.data(),
                          nullptr,
                          width,
                          static_cast<float>(context->saved_data["scale"].toDouble())};
    const auto kernel = kernels::table().scatter;
    over_rows(count, width, [&](std::int64_t first, std::int64_t last) {
      std::vector<float> row(width);
      kernels::Scatter mine = args;
      mine.row = row.data();
      kernel(mine, first, last);
    });
    return {{}, grad, {}};
  }
};

}  // namespace

at::Tensor embed(const at::Tensor& ids, const at::Tensor& weight, double scale) {
  if (!kernels_take(KernelLevel::avx2, {weight})) return stock::embed(ids, weight, scale);
  if (needs_grad({weight})) return EmbedFunction::apply(ids.contiguous(), weight.contiguous(), scale);
  return run_forward(ids.contiguous(), weight.contiguous(), scale);
}

}  // namespace reveille::nn
