// RMSNorm (Zhang and Sennrich, arXiv 1910.07467), alone and fused with the residual sum.
#include <torch/csrc/autograd/custom_function.h>

#include "nn/ops.h"
#include "nn/ops_stock.h"
#include "nn/ops_support.h"

namespace reveille::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor gain_of(const at::Tensor& weight, bool plus_one) {
  at::Tensor gain = weight.detach().to(at::kFloat).contiguous();
  return plus_one ? gain + 1 : gain;
}

struct Normed {
  at::Tensor sum, y, rstd;
};

Normed run_forward(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& gain, double eps, at::ScalarType out,
                   bool keep_rstd) {
  const std::int64_t width = x.size(-1), rows = width == 0 ? 0 : x.numel() / width;
  Normed result{delta.defined() ? at::empty(x.sizes(), x.options().dtype(at::kFloat)) : x,
                at::empty(x.sizes(), x.options().dtype(out)),
                {}};
  if (keep_rstd) result.rstd = at::empty({rows}, x.options().dtype(at::kFloat));
  kernels::NormForward args{as_in(x), as_in(delta)};
  if (delta.defined()) args.sum = result.sum.mutable_data_ptr<float>();
  args.gain = gain.const_data_ptr<float>();
  args.y = as_out(result.y);
  if (keep_rstd) args.rstd = result.rstd.mutable_data_ptr<float>();
  args.width = width;
  args.eps = static_cast<float>(eps);
  const auto kernel = kernels::table().norm_forward;
  over_rows(rows, width, [&](std::int64_t first, std::int64_t last) { kernel(args, first, last); });
  return result;
}

struct NormGrads {
  at::Tensor x, delta, gain;
};

// d_sum, delta_type and wants_gain say what is asked for beside dx.
NormGrads run_backward(const at::Tensor& x, const at::Tensor& rstd, const at::Tensor& gain, const at::Tensor& dy,
                       const at::Tensor& d_sum, at::ScalarType x_type, at::ScalarType delta_type, bool wants_gain) {
  const std::int64_t width = x.size(-1), rows = rstd.numel();
  NormGrads grads{at::empty(x.sizes(), x.options().dtype(x_type)), {}, {}};
  if (delta_type != x_type) grads.delta = at::empty(x.sizes(), x.options().dtype(delta_type));
  const std::int64_t shares = row_shares(rows);
  at::Tensor partial;
  if (wants_gain) partial = at::zeros({shares, width}, rstd.options());
  kernels::NormBackward args{as_in(x), rstd.const_data_ptr<float>(), gain.const_data_ptr<float>(), as_in(dy)};
  if (d_sum.defined()) args.d_sum = d_sum.const_data_ptr<float>();
  args.dx = as_out(grads.x);
  args.d_delta = as_out(grads.delta);
  args.width = width;
  float* partials = wants_gain ? partial.mutable_data_ptr<float>() : nullptr;
  const auto kernel = kernels::table().norm_backward;
  over_shares(rows, shares, [&](std::int64_t share, std::int64_t first, std::int64_t last) {
    kernels::NormBackward mine = args;
    if (partials != nullptr) mine.d_gain = partials + share * width;
    kernel(mine, first, last);
  });
  if (wants_gain) grads.gain = partial.sum(0);
  if (!grads.delta.defined()) grads.delta = grads.x;
  return grads;
}

struct NormFunction : torch::autograd::Function<NormFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight, double eps,
                            bool plus_one, at::ScalarType out) {
    at::Tensor gain = gain_of(weight, plus_one);
    Normed result = run_forward(x, {}, gain, eps, out, true);
    context->save_for_backward({x, result.rstd, gain});
    context->saved_data["wants_gain"] = weight.requires_grad();
    context->saved_data["weight_type"] = weight.scalar_type();
    return result.y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    auto saved = context->get_saved_variables();
    const at::ScalarType type = saved[0].scalar_type();
    NormGrads result = run_backward(saved[0], saved[1], saved[2], grads[0].contiguous(), {}, type, type,
                                    context->saved_data["wants_gain"].toBool());
    if (result.gain.defined()) result.gain = result.gain.to(context->saved_data["weight_type"].toScalarType());
    return {result.x, result.gain, {}, {}, {}};
  }
};

struct AddNormFunction : torch::autograd::Function<AddNormFunction> {
  static variable_list forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& delta,
                               const at::Tensor& weight, double eps, bool plus_one, at::ScalarType out) {
    at::Tensor gain = gain_of(weight, plus_one);
    Normed result = run_forward(x, delta, gain, eps, out, true);
    context->save_for_backward({result.sum, result.rstd, gain});
    context->saved_data["wants_gain"] = weight.requires_grad();
    context->saved_data["weight_type"] = weight.scalar_type();
    context->saved_data["delta_type"] = delta.scalar_type();
    context->saved_data["x_type"] = x.scalar_type();
    context->set_materialize_grads(false);
    return {result.sum, result.y};
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    auto saved = context->get_saved_variables();
    const at::ScalarType x_type = context->saved_data["x_type"].toScalarType();
    const at::ScalarType delta_type = context->saved_data["delta_type"].toScalarType();
    if (!grads[1].defined()) {  // only the sum was used
      if (!grads[0].defined()) return {{}, {}, {}, {}, {}, {}};
      return {grads[0].to(x_type), grads[0].to(delta_type), {}, {}, {}, {}};
    }
    at::Tensor d_sum = grads[0].defined() ? grads[0].to(at::kFloat).contiguous() : at::Tensor();
    NormGrads result = run_backward(saved[0], saved[1], saved[2], grads[1].contiguous(), d_sum, x_type, delta_type,
                                    context->saved_data["wants_gain"].toBool());
    if (result.gain.defined()) result.gain = result.gain.to(context->saved_data["weight_type"].toScalarType());
    return {result.x, result.delta, result.gain, {}, {}, {}};
  }
};

bool type_known(at::ScalarType type) { return type == at::kFloat || type == at::kBFloat16; }

}  // namespace

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, bool plus_one, at::ScalarType out) {
  if (!kernels_take(KernelLevel::avx2, {x, weight}) || !type_known(out))
    return stock::rms_norm(x, weight, eps, plus_one, out);
  if (needs_grad({x, weight})) return NormFunction::apply(x.contiguous(), weight, eps, plus_one, out);
  return run_forward(x.contiguous(), {}, gain_of(weight, plus_one), eps, out, false).y;
}

std::tuple<at::Tensor, at::Tensor> add_rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight,
                                                double eps, bool plus_one, at::ScalarType out) {
  if (!kernels_take(KernelLevel::avx2, {x, delta, weight}) || !type_known(out))
    return stock::add_rms_norm(x, delta, weight, eps, plus_one, out);
  if (needs_grad({x, delta, weight})) {
    auto both = AddNormFunction::apply(x.contiguous(), delta.contiguous(), weight, eps, plus_one, out);
    return {both[0], both[1]};
  }
  Normed result = run_forward(x.contiguous(), delta.contiguous(), gain_of(weight, plus_one), eps, out, false);
  return {result.sum, result.y};
}

}  // namespace reveille::nn
