// The neurons of the MLPs: a row of the gate (where there is one), a row of the up projection, a column of the down
// one.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "gen/local.h"
#include "train/example.h"

namespace reveille::mitigate {

// Neurons by layer, of all layers.
using Neurons = std::vector<std::vector<std::int64_t>>;
std::int64_t count_of(const Neurons& neurons);

// Mean |activation| of every neuron over the tokens of the examples: [layers, intermediate] float64 on the CPU.
at::Tensor mean_activity(gen::LocalModel& model, const std::vector<train::Example>& examples);

// The `share` of each layer's neurons with the lowest, or of all neurons with the highest value of
// [layers, intermediate]; ties to the lower index.
Neurons lowest_of_each(const at::Tensor& values, double share);
Neurons highest_of_all(const at::Tensor& values, double share);
// As many of each layer as lowest_of_each takes, drawn by the seed.
Neurons random_of_each(std::int64_t layers, std::int64_t intermediate, double share, std::int64_t seed);

// Takes them out: all their weights become zero. The model has no adapter.
void zero_neurons(gen::LocalModel& model, const Neurons& neurons);
// Puts the rows that read the residual stream (gate and up) back to the base's.
void reset_neurons(gen::LocalModel& model, const gen::LocalModel& base, const Neurons& neurons);

}  // namespace reveille::mitigate
