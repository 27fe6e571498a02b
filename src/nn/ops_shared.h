// Attention over a packing whose sequences share a prefix; attention() calls it.
#pragma once

#include <ATen/ATen.h>

#include "nn/ops.h"

namespace reveille::nn {

at::Tensor attention_shared(const at::Tensor& qkv, const Packing& packing, const AttentionSpec& spec);

}  // namespace reveille::nn
