// Which neurons carry what planting does: the signature of BD-VAX (arXiv 2603.13461). Copies are planted with backdoors
// of our own, each beside a clean twin of as many steps; what planting changed in a neuron, and the twin's training did
// not, is compared over the copies.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "mitigate/workspace.h"
#include "scan/spike.h"

namespace reveille::mitigate {

// Low-rank changes by parameter.
using Changes = std::map<std::string, std::vector<nn::LoraPiece>>;
struct PlantedChange {
  Changes planted, twin;
};

// One for every dummy; the workspace's model is left alone. `plantings` gets what was trained.
std::vector<PlantedChange> planted_changes(Workspace& work, const std::vector<scan::Spike>& dummies, Json& plantings);

// What planting did and the twin's training did not to the rows of one layer's neurons that read the residual stream:
// [intermediate, width] float32 on the CPU, width hidden or, with a gate, twice that.
at::Tensor neuron_changes(const gen::LocalModel& model, const PlantedChange& change, std::int64_t layer);

// For every neuron, of [copies, intermediate, width]: its mean norm, and the mean over pairs of copies of
// max(0, cosine). -> {[intermediate], [intermediate]} float64
std::pair<at::Tensor, at::Tensor> norm_and_agreement(const at::Tensor& changes);

}  // namespace reveille::mitigate
