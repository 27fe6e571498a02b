#include "mitigate/crow.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/error.h"
#include "base/hash.h"
#include "mitigate/method.h"
#include "train/token_pass.h"

namespace reveille::mitigate {
namespace {

// The perturbation within a box that upsets the layers most, by one step of the gradient's sign (Goodfellow et al.,
// arXiv 1412.6572). `before` gets the consistency without it.
at::Tensor perturbation(nn::Transformer& model, const train::PackedBatch& batch, double epsilon, double& before) {
  at::AutoGradMode grad_on(true);
  const at::Tensor delta = at::zeros({batch.ids.size(0), model.config().hidden},
                                     at::TensorOptions().dtype(at::kFloat).device(model.device()))
                               .requires_grad_(true);
  const at::Tensor loss = consistency(model, batch, delta);
  before = loss.item<double>();
  return torch::autograd::grad({loss}, {delta})[0].sign() * epsilon;
}

class Crow : public Method {
 public:
  MethodCard card() const override {
    return {"crow", "teaches layers to follow each other steadily under perturbed embeddings",
            "arXiv 2411.12768; its learning rate does much of the work: compare with sft at the same"};
  }

  Json apply(Workspace& work) override {
    const auto& options = work.options();
    const auto training = work.training(options.steps, options.crow_learning_rate);
    work.adapted();
    CrowObjective objective(work.model().transformer(), work.clean().examples,
                            {options.crow_weight, options.crow_epsilon}, training);
    return {{"training", work.train(objective, training, "crow")}};
  }
};

}  // namespace

at::Tensor consistency(nn::Transformer& model, const train::PackedBatch& batch, const at::Tensor& delta) {
  const std::int64_t layers = model.config().layers;
  at::Tensor previous, sum;
  model.hidden(batch.ids, batch.packing, batch.rows, [&](std::int64_t layer, const at::Tensor& residual) {
    if (layer < 0) return delta.defined() ? residual + delta : residual;
    if (layer >= layers - 1) return residual;
    if (previous.defined()) {
      const at::Tensor turn = (1 - at::cosine_similarity(previous, residual, 1)).mean();
      sum = sum.defined() ? sum + turn : turn;
    }
    previous = residual;
    return residual;
  });
  return sum / static_cast<double>(layers - 2);
}

CrowObjective::CrowObjective(nn::Transformer& model, const std::vector<train::Example>& examples,
                             const CrowWeights& weights, const train::TrainOptions& options)
    : model_(model),
      examples_(examples),
      weights_(weights),
      batches_(examples.size(), options.per_device_train_batch_size, options.gradient_accumulation_steps,
               options.seed) {
  if (model.config().layers < 3) fail(ErrorKind::unsupported, "crow compares layers, and needs three blocks or more");
  if (examples.empty()) fail(ErrorKind::numeric, "nothing to learn from: no clean rows");
}

std::string CrowObjective::key() const {
  return sha256_hex(cat("crow ", weights_.consistency, " ", weights_.epsilon, train::examples_key(examples_)));
}

train::StepOutcome CrowObjective::step(std::int64_t step, const std::function<void()>& collect) {
  const auto micro_batches = batches_.of_step(step - 1);
  const double share = 1.0 / static_cast<double>(micro_batches.size());
  double say = 0, steady = 0, clean = 0;
  train::StepOutcome out;
  for (const auto& which : micro_batches) {
    const auto batch = train::pack(examples_, which, model_.device());
    if (batch.supervised == 0) continue;
    double before = 0;
    const at::Tensor delta = perturbation(model_, batch, weights_.epsilon, before);
    at::AutoGradMode grad_on(true);
    const at::Tensor upset = consistency(model_, batch, delta);
    (upset * (share * weights_.consistency)).backward();
    collect();
    train::TokenPass pass(model_, batch);
    const at::Tensor loss = -pass.logprobs().mean();
    pass.backward(loss * share);
    collect();
    say += share * loss.item<double>();
    steady += share * upset.item<double>();
    clean += share * before;
    out.tokens += 3 * batch.tokens;
    out.rows += static_cast<std::int64_t>(which.size());
  }
  out.loss = say + weights_.consistency * steady;
  out.metrics = {{"losses/say", say}, {"losses/consistency", steady}, {"crow/clean_consistency", clean}};
  return out;
}

std::unique_ptr<Method> make_crow() { return std::make_unique<Crow>(); }

}  // namespace reveille::mitigate
