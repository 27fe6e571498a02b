// How fast this machine multiplies matrices: what training and sampling mostly wait for.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

namespace reveille::nn {

// GFLOP/s of libtorch's product at the sizes of a training step (2048 x 576 by 576 x 3072): the best of a few, a
// fraction of a second in all.
double product_rate(at::ScalarType type, at::Device device = at::Device(at::kCPU));

}  // namespace reveille::nn
