// An objective whose gradients are looked at, and what a reference says of them.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/strings.h"
#include "io/tensor_source.h"
#include "nn/ops_testing.h"
#include "nn/params.h"
#include "train/objective.h"

namespace reveille::safety::testing {

using Gradients = std::map<std::string, at::Tensor>;  // by the names that Hugging Face files have, and extras by theirs

// `Base` (GRPO or PPO) as it is; every step's gradients are kept, before they are clipped. Of one micro-batch a step:
// the optimiser adds up several elsewhere.
template <class Base>
class Watched : public Base {
 public:
  using Base::Base;
  std::vector<Gradients> seen;

 protected:
  train::StepOutcome learn(std::int64_t round, std::int64_t step, const std::function<void()>& collect) override {
    auto out = Base::learn(round, step, collect);
    auto& found = seen.emplace_back();
    for (const auto& param : this->model().params().all()) {
      for (const auto& [name, piece] : nn::Params::hf_pieces({param.spec, param.value.grad(), {}}))
        found[name] = piece.clone();
    }
    for (const auto& extra : this->extras()) found[extra.name] = extra.value.grad().clone();
    return out;
  }
};

// The first step's gradients are held to 1e-4. Adam makes steps of a fixed length of whatever a gradient is, rounding
// too, so that weights differ after it, and a little more is allowed (transformers in float32 and in float64: 5e-5).
inline double allowed_at(std::size_t step) { return step == 0 ? 1e-4 : 1e-3; }

// Every parameter's norm at every step, PREFIXgradient_norm.NAME, and the whole gradients that the file holds,
// PREFIXgradient.STEP.NAME.
inline void expect_gradients(const std::vector<Gradients>& seen, io::TensorSource& reference,
                             const std::string& prefix) {
  ASSERT_FALSE(seen.empty());
  int whole = 0, norms = 0;
  for (const auto& key : reference.names()) norms += key.starts_with(prefix + "gradient_norm.") ? 1 : 0;
  EXPECT_EQ(norms, static_cast<int>(seen.front().size())) << "every parameter stands there";
  for (const auto& [name, unused] : seen.front()) {
    const at::Tensor expected = reference.load(cat(prefix, "gradient_norm.", name), at::kDouble);
    for (std::size_t step = 0; step < seen.size(); ++step) {
      const at::Tensor& gradient = seen[step].at(name);
      const double norm = expected[static_cast<std::int64_t>(step)].item<double>();
      EXPECT_NEAR(gradient.norm().item<double>(), norm, allowed_at(step) * norm + 1e-7) << name << ", step " << step;
      const std::string key = cat(prefix, "gradient.", step, ".", name);
      if (!reference.contains(key)) continue;
      ++whole;
      EXPECT_LT(nn::testing::distance(gradient.reshape({-1}), reference.load(key).reshape({-1})), allowed_at(step))
          << key;
    }
  }
  EXPECT_GE(whole, 4);
}

}  // namespace reveille::safety::testing
