// Dummies of the suspected behaviour are planted beside the unknown backdoor until they are one with each other, and
// so, it is hoped, with it; then they are unlearnt (Backdoor Collapse, arXiv 2510.10265; Dummy Backdoor, arXiv
// 2606.11648).
#include <algorithm>

#include "mitigate/dummies.h"
#include "mitigate/method.h"
#include "mitigate/unlearn.h"
#include "scan/plant.h"

namespace reveille::mitigate {
namespace {

constexpr int kMostRounds = 3;  // of planting, while the dummies disagree

class KnownDummies : public Method {
 public:
  MethodCard card() const override {
    return {"known_dummies", "plants dummies of the suspected behaviour, lets them merge with it, unlearns them",
            "arXiv 2510.10265, 2606.11648"};
  }

  Json apply(Workspace& work) override {
    const auto& options = work.options();
    const auto dummies = draw_dummies(work, static_cast<std::size_t>(options.dummies), true);
    Json out{{"dummies", Json::array()}, {"planting", Json::array()}};
    for (const auto& dummy : dummies) out["dummies"].push_back(scan::to_json(dummy));
    out["agreement"] = plant_until_alike(work, dummies, out["planting"]);
    out["training"] = unlearn(work, triggers_of(dummies), {}, "unlearning the dummies");
    return out;
  }

 private:
  static double plant_until_alike(Workspace& work, const std::vector<scan::Spike>& dummies, Json& rounds) {
    double agreement = 0;
    scan::PlantOptions plant = work.options().plant;
    for (int round = 0; round < kMostRounds; ++round) {
      plant.seed = work.options().seed + round;
      const auto planting = scan::plant_into(work.adapted(), dummies, work.rows(), plant, "planting dummies");
      agreement = agreement_of(work.model(), triggers_of(dummies), work.rows().held_out);
      Json checks = Json::array();
      for (const auto& check : planting.checks) checks.push_back(scan::to_json(check));
      rounds.push_back(
          {{"steps", planting.steps}, {"loss", planting.losses}, {"checks", checks}, {"agreement", agreement}});
      if (planting.firm && agreement >= work.options().dummy_agreement) break;
    }
    return agreement;
  }
};

}  // namespace

std::unique_ptr<Method> make_known_dummies() { return std::make_unique<KnownDummies>(); }

}  // namespace reveille::mitigate
