// The part of torch that our rooms use. torch/torch.h (data loaders, nn modules) is not
// among it: it costs 16 s a file and we need none of it.
#pragma once
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/autograd.h>
#include <c10/core/InferenceMode.h>
