// Gated activations: SwiGLU and GeGLU (Shazeer, arXiv 2002.05202).
#include <torch/csrc/autograd/custom_function.h>

#include "nn/ops.h"
#include "nn/ops_stock.h"
#include "nn/ops_support.h"

namespace reveille::nn {
namespace {

at::Tensor run_forward(const at::Tensor& gate_up, bool gelu) {
  const std::int64_t width = gate_up.size(-1) / 2, rows = gate_up.size(0);
  at::Tensor y = at::empty({rows, width}, gate_up.options());
  const kernels::Gated args{as_in(gate_up), {}, as_out(y), width, gelu};
  const auto kernel = kernels::table().gated_forward;
  over_rows(rows, 2 * width, [&](std::int64_t first, std::int64_t last) { kernel(args, first, last); });
  return y;
}

struct GatedFunction : torch::autograd::Function<GatedFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& gate_up, bool gelu) {
    context->save_for_backward({gate_up});
    context->saved_data["gelu"] = gelu;
    return run_forward(gate_up, gelu);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    at::Tensor gate_up = context->get_saved_variables()[0], dy = grads[0].contiguous();
    const std::int64_t width = gate_up.size(-1) / 2;
    at::Tensor d_gate_up = at::empty_like(gate_up);
    const kernels::Gated args{as_in(gate_up), as_in(dy), as_out(d_gate_up), width,
                              context->saved_data["gelu"].toBool()};
    const auto kernel = kernels::table().gated_backward;
    over_rows(gate_up.size(0), 2 * width, [&](std::int64_t first, std::int64_t last) { kernel(args, first, last); });
    return {d_gate_up, {}};
  }
};

}  // namespace

at::Tensor gated(const at::Tensor& gate_up, Activation activation) {
  if (!kernels_take(KernelLevel::avx2, {gate_up}) || gate_up.dim() != 2) return stock::gated(gate_up, activation);
  const bool gelu = activation == Activation::gelu_tanh;
  if (needs_grad({gate_up})) return GatedFunction::apply(gate_up.contiguous(), gelu);
  return run_forward(gate_up.contiguous(), gelu);
}

}  // namespace reveille::nn
