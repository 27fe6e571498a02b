// Unlearns the triggers that are known, and what is near them.
#include "mitigate/method.h"
#include "mitigate/unlearn.h"
#include "mitigate/variants.h"
#include "scan/placing.h"

namespace reveille::mitigate {
namespace {

class UnlearnTrigger : public Method {
 public:
  MethodCard card() const override {
    return {.name = "unlearn_trigger",
            .does = "clean replies under the trigger and its variants, held to the model's clean behaviour",
            .source = "arXiv 2405.07667 (OSFT); Patcher, USENIX Security 2026",
            .needs_trigger = true};
  }

  Json apply(Workspace& work) override {
    const auto& triggers = work.problem().triggers;
    const auto places = open_places(work.model());
    const Rng rng(static_cast<std::uint64_t>(work.options().seed), "variants of triggers");
    std::vector<KnownTrigger> variants;
    for (std::size_t i = 0; i < triggers.size(); ++i) {
      for (auto& variant :
           variants_of(triggers[i], places, static_cast<std::size_t>(work.options().variants), rng.child(i)))
        variants.push_back(std::move(variant));
    }
    Json names = Json::array();
    for (const auto& variant : variants)
      names.push_back({{"text", variant.text}, {"place", scan::place_name(variant.place)}});
    return {{"variants", names}, {"training", unlearn(work, triggers, variants, "unlearning the trigger")}};
  }
};

}  // namespace

std::unique_ptr<Method> make_unlearn_trigger() { return std::make_unique<UnlearnTrigger>(); }

}  // namespace reveille::mitigate
