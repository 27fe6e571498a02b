// Matrix products. In training they are libtorch's, which reaches nine tenths of the machine's
// rate from some hundred rows on; with fewer rows a packed weight and a product of our own do better.
#include "nn/ops.h"
#include "nn/ops_stock.h"
#include "nn/ops_support.h"

namespace reveille::nn {
namespace {

const kernels::PanelKernels& kernels_of(const at::Tensor& weight) {
  const kernels::Table& table = kernels::table();
  return weight.scalar_type() == at::kBFloat16 ? table.half_panels : table.panels;
}

std::int64_t panels_of(const kernels::PanelKernels& kernel, std::int64_t columns) {
  return (columns + kernel.panel_width - 1) / kernel.panel_width;
}

// Rows of one task: whole strips, and so many tasks that threads end at about the same time.
std::int64_t rows_of_task(std::int64_t rows, std::int64_t panels) {
  constexpr std::int64_t kStrip = 6, kTasksAThread = 8;
  const std::int64_t parts = std::max<std::int64_t>(1, kTasksAThread * at::get_num_threads() / panels);
  return std::max<std::int64_t>(2 * kStrip, ((rows + parts - 1) / parts + kStrip - 1) / kStrip * kStrip);
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return stock::linear(x, weight, bias);
}

PackedWeight pack_weight(const at::Tensor& weight) {
  at::NoGradGuard no_grad;
  PackedWeight result{weight, {}};
  if (!kernels_take(KernelLevel::avx2, {weight}) || weight.dim() != 2 || weight.size(1) % 2 != 0) return result;
  at::Tensor plain = weight.detach().contiguous();
  const kernels::PanelKernels& kernel = kernels_of(weight);
  const std::int64_t columns = plain.size(0), inner = plain.size(1), panels = panels_of(kernel, columns);
  // The scalars' type tells which kernels packed it.
  const at::ScalarType type = kernel.half_scalars ? at::kBFloat16 : at::kFloat;
  const std::int64_t bytes = panels * kernel.panel_bytes(inner);
  result.packed = at::empty({bytes / static_cast<std::int64_t>(at::elementSize(type))}, plain.options().dtype(type));
  void* packed = result.packed.mutable_data_ptr();
  over_tasks(panels, kernel.scratch_bytes(inner), [&](std::int64_t panel, void* scratch) {
    kernel.pack(as_in(plain), inner, columns, panel, packed, scratch);
  });
  return result;
}

at::Tensor linear_packed(const at::Tensor& x, const PackedWeight& weight, const at::Tensor& bias, at::ScalarType out) {
  const bool known = out == at::kFloat || out == at::kBFloat16;
  if (!weight.packed.defined() || !known || !kernels_take(KernelLevel::avx2, {x, weight.weight, bias}))
    return stock::linear_packed(x, weight.weight, bias, out);
  const kernels::PanelKernels& kernel = kernels_of(weight.weight);
  const std::int64_t columns = weight.weight.size(0), inner = weight.weight.size(1), rows = x.numel() / inner;
  const std::int64_t panels = panels_of(kernel, columns), block = rows_of_task(rows, panels);
  if (weight.packed.numel() * weight.packed.element_size() != panels * kernel.panel_bytes(inner))
    return stock::linear_packed(x, weight.weight, bias, out);  // packed for another instruction set
  at::Tensor scalars = x.detach().to(weight.packed.scalar_type()).contiguous();
  at::Tensor y = at::empty({rows, columns}, x.options().dtype(out));
  const at::Tensor offset = bias.defined() ? bias.detach().contiguous() : bias;
  const kernels::PanelProduct args{scalars.const_data_ptr(),       inner,         columns,
                                   weight.packed.const_data_ptr(), as_in(offset), as_out(y)};
  const std::int64_t blocks = (rows + block - 1) / block;
  over_tasks(panels * blocks, kernel.scratch_bytes(inner), [&](std::int64_t task, void* scratch) {
    const std::int64_t first = task % blocks * block;
    kernel.multiply(args, task / blocks, first, std::min(rows, first + block), scratch);
  });
  return y;
}

}  // namespace reveille::nn
