// Which implementation of the operators runs: the vectorised kernels of this machine's
// instruction set, or stock ATen operators.
#pragma once

#include <ATen/core/Tensor.h>

#include <initializer_list>

namespace reveille::nn {

enum class KernelLevel { stock, avx2, avx512, avx512_bf16, amx_bf16 };  // each includes the ones before it

// What runs now: what the CPU has, or `stock` while that is forced.
KernelLevel kernel_level();

// For tests: no kernels above this level.
void limit_kernel_level(KernelLevel most);

// Whether the kernels can take these tensors: on the CPU, float32 or bfloat16, at this level or
// above. Undefined tensors are passed over.
bool kernels_take(KernelLevel least, std::initializer_list<at::Tensor> tensors);

// Whether a gradient is wanted for any of these tensors.
bool needs_grad(std::initializer_list<at::Tensor> tensors);

}  // namespace reveille::nn
