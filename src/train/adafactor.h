// Adafactor (Shazeer & Stern, arXiv 1804.04235), as transformers.optimization.Adafactor: of a matrix's second moments
// only the means of rows and columns are kept, so that its state is next to nothing (with beta1: four bytes a
// parameter).
#pragma once

#include "train/optim_args.h"
#include "train/update_rule.h"

namespace reveille::train {

// A fused tensor is updated as the tensors that files hold in its place, since means over its columns and the clipping
// would say something else over all of them.
class Adafactor : public UpdateRule {
 public:
  explicit Adafactor(const AdafactorOptions& options) : options_(options) {}
  std::vector<RuleState> states(const at::Tensor& master, const std::vector<std::int64_t>& parts) const override;
  void update(std::vector<UpdateSlot>& slots, const StepSize& size) const override;
  double learning_rate(double scheduled, std::int64_t step) const override;

 private:
  void update_part(const UpdateSlot& slot, const at::Tensor& grad, std::int64_t part, std::int64_t begin,
                   std::int64_t rows, const StepSize& size) const;
  // Of one part: what the gradient is divided by the root of. `first` is its share of states[0].
  at::Tensor direction(const UpdateSlot& slot, const at::Tensor& grad, at::Tensor first, std::int64_t part,
                       double keep) const;
  AdafactorOptions options_;
};

}  // namespace reveille::train
