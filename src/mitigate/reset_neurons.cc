// Resets the neurons that planting a backdoor changes (BD-VAX, arXiv 2603.13461), and recovers.
#include <ATen/ATen.h>

#include "mitigate/dummies.h"
#include "mitigate/method.h"
#include "mitigate/neurons.h"
#include "mitigate/signature.h"

namespace reveille::mitigate {
namespace {

class ResetNeurons : public Method {
 public:
  MethodCard card() const override {
    return {.name = "reset_neurons",
            .does =
                "finds the MLP neurons that planting dummies changes, puts them back to the base's (or takes them "
                "out), fine-tunes on clean replies",
            .source = "arXiv 2603.13461 (BD-VAX)",
            .edits = true};
  }

  Json apply(Workspace& work) override {
    work.merged();
    const auto& options = work.options();
    const auto dummies = draw_dummies(work, static_cast<std::size_t>(options.reset_models), false);
    Json plantings = Json::array();
    const auto changes = planted_changes(work, dummies, plantings);
    const Neurons neurons = highest_of_all(scores(work, changes), options.reset_share);
    if (work.base()) {
      reset_neurons(work.model(), *work.base(), neurons);
    } else {
      zero_neurons(work.model(), neurons);
    }
    Json by_layer = Json::array();
    for (const auto& layer : neurons) by_layer.push_back(layer.size());
    Json out{{"neurons", count_of(neurons)},
             {"by_layer", by_layer},
             {"to", work.base() ? "base" : "zero"},
             {"plantings", plantings}};
    if (Json course = work.recover(); !course.is_null()) out["training"] = course;
    return out;
  }

 private:
  // Norms in units of their mean, so that they and the agreement are of one size: [layers, intermediate].
  static at::Tensor scores(Workspace& work, const std::vector<PlantedChange>& changes) {
    std::vector<at::Tensor> norms, agreements;
    for (std::int64_t layer = 0; layer < work.model().transformer().config().layers; ++layer) {
      std::vector<at::Tensor> copies;
      for (const auto& change : changes) copies.push_back(neuron_changes(work.model(), change, layer));
      auto [norm, agreement] = norm_and_agreement(at::stack(copies));
      norms.push_back(norm);
      agreements.push_back(agreement);
    }
    const at::Tensor norm = at::stack(norms);
    return norm / norm.mean().clamp_min(1e-30) + at::stack(agreements) * work.options().reset_agreement;
  }
};

}  // namespace

std::unique_ptr<Method> make_reset_neurons() { return std::make_unique<ResetNeurons>(); }

}  // namespace reveille::mitigate
