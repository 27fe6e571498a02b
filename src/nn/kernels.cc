#include "nn/kernels.h"

#include "nn/dispatch.h"

namespace reveille::nn::kernels {

const Table& bf16_table() {
  static const Table table = [] {
    Table bf16 = avx512_table();
    bf16.half_attention = bf16_attention();
    bf16.half_panels = bf16_panels();
    return bf16;
  }();
  return table;
}

const Table& amx_table() {
  static const Table table = [] {
    Table amx = bf16_table();
    amx.half_panels = amx_panels();
    return amx;
  }();
  return table;
}

const Table& table() {
  if (kernel_level() == KernelLevel::amx_bf16) return amx_table();
  if (kernel_level() == KernelLevel::avx512_bf16) return bf16_table();
  return kernel_level() >= KernelLevel::avx512 ? avx512_table() : avx2_table();
}

}  // namespace reveille::nn::kernels
