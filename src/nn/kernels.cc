#include "nn/kernels.h"

#include "nn/dispatch.h"

namespace reveille::nn::kernels {

const Table& table() { return kernel_level() >= KernelLevel::avx512 ? avx512_table() : avx2_table(); }

}  // namespace reveille::nn::kernels
