// Fine-pruning (Liu, Dolan-Gavitt and Garg, arXiv 1805.12185): neurons that sleep on clean prompts are taken out, and
// the model is fine-tuned on clean replies. And its control, with neurons drawn at random.
#include "mitigate/method.h"
#include "mitigate/neurons.h"

namespace reveille::mitigate {
namespace {

Json prune(Workspace& work, const Neurons& neurons) {
  zero_neurons(work.merged(), neurons);
  Json out{{"neurons", count_of(neurons)}, {"share", work.options().prune_share}};
  if (Json course = work.recover(); !course.is_null()) out["training"] = course;
  return out;
}

class FinePrune : public Method {
 public:
  MethodCard card() const override {
    return {.name = "fine_prune",
            .does = "takes out MLP neurons that sleep on clean prompts, then fine-tunes on clean replies (a baseline)",
            .source = "arXiv 1805.12185",
            .edits = true};
  }
  Json apply(Workspace& work) override {
    const auto activity = mean_activity(work.merged(), work.clean().examples);
    return prune(work, lowest_of_each(activity, work.options().prune_share));
  }
};

class RandomPrune : public Method {
 public:
  MethodCard card() const override {
    return {.name = "random_prune",
            .does = "as fine_prune, but of neurons drawn at random (a control)",
            .edits = true,
            .control = true};
  }
  Json apply(Workspace& work) override {
    const auto& config = work.model().transformer().config();
    return prune(work,
                 random_of_each(config.layers, config.intermediate, work.options().prune_share, work.options().seed));
  }
};

}  // namespace

std::unique_ptr<Method> make_fine_prune() { return std::make_unique<FinePrune>(); }
std::unique_ptr<Method> make_random_prune() { return std::make_unique<RandomPrune>(); }

}  // namespace reveille::mitigate
