// Attention where sequences share a prefix: its rows are copied in front of every sequence, which
// is cheap, so that what lies around attention (projections, MLPs, norms) computes them once.
#include <torch/csrc/autograd/custom_function.h>

#include <numeric>

#include "nn/ops_shared.h"

namespace reveille::nn {
namespace {

// Rows of the packing, in the order in which they lie when each sequence has its own prefix.
struct Layout {
  std::vector<std::int64_t> sources;  // [expanded rows]: row of the packing
  std::vector<std::int64_t> own;      // [tokens]: expanded row of each row (of the prefix: its first copy)
  std::vector<std::int64_t> copies;   // [batch * shared]: expanded rows of the prefix's copies
  std::vector<std::int64_t> lengths;  // [batch], with the prefix
};

Layout layout_of(const Packing& packing) {
  Layout out;
  const std::int64_t shared = packing.shared();
  out.own.resize(static_cast<std::size_t>(packing.tokens()));
  std::iota(out.own.begin(), out.own.begin() + shared, 0);
  for (std::size_t i = 0; i + 1 < packing.offsets.size(); ++i) {
    const std::int64_t first = packing.offsets[i], last = packing.offsets[i + 1];
    out.lengths.push_back(shared + last - first);
    for (std::int64_t row = 0; row < shared; ++row) {
      out.copies.push_back(static_cast<std::int64_t>(out.sources.size()));
      out.sources.push_back(row);
    }
    for (std::int64_t row = first; row < last; ++row) {
      out.own[static_cast<std::size_t>(row)] = static_cast<std::int64_t>(out.sources.size());
      out.sources.push_back(row);
    }
  }
  return out;
}

// x [tokens, width] -> [expanded rows, width]. The gradient of a prefix row is the sum over its
// copies, in float32 whatever the type.
struct Expand : torch::autograd::Function<Expand> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& sources,
                            const at::Tensor& own, const at::Tensor& copies, std::int64_t shared) {
    context->save_for_backward({own, copies});
    context->saved_data["shared"] = shared;
    return x.index_select(0, sources);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const auto saved = context->get_saved_variables();
    const std::int64_t shared = context->saved_data["shared"].toInt();
    const at::Tensor& grad = grads[0];
    at::Tensor d_x = grad.index_select(0, saved[0]);
    const at::Tensor parts = grad.index_select(0, saved[1]).view({-1, shared, grad.size(1)});
    d_x.narrow(0, 0, shared).copy_(parts.sum(0, false, at::kFloat));
    return {d_x, {}, {}, {}, {}};
  }
};

// x [expanded rows, width] -> [tokens, width]: of the copies of a prefix row, all equal, the first.
struct Collect : torch::autograd::Function<Collect> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& own) {
    context->save_for_backward({own});
    context->saved_data["rows"] = x.size(0);
    return x.index_select(0, own);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const at::Tensor own = context->get_saved_variables()[0];
    at::Tensor d_x = at::zeros({context->saved_data["rows"].toInt(), grads[0].size(1)}, grads[0].options());
    d_x.index_copy_(0, own, grads[0]);
    return {d_x, {}};
  }
};

}  // namespace

at::Tensor attention_shared(const at::Tensor& qkv, const Packing& packing, const AttentionSpec& spec) {
  const Layout layout = layout_of(packing);
  auto index = [&](const std::vector<std::int64_t>& rows) { return at::tensor(rows, at::kLong).to(qkv.device()); };
  const at::Tensor own = index(layout.own);
  const at::Tensor wide = Expand::apply(qkv, index(layout.sources), own, index(layout.copies), packing.shared());
  const at::Tensor mixed = attention(wide, make_packing(layout.lengths, {}, qkv.device()), spec);
  return Collect::apply(mixed, own);
}

}  // namespace reveille::nn
