// Every weight on the straight line between the model and its base (WiSE-FT, Wortsman et al., arXiv 2109.01903).
#include <ATen/ATen.h>

#include "base/error.h"
#include "mitigate/method.h"

namespace reveille::mitigate {
namespace {

class Interpolate : public Method {
 public:
  MethodCard card() const override {
    return {.name = "interpolate",
            .does = "moves every weight part of the way to the base's",
            .source = "arXiv 2109.01903 (WiSE-FT)",
            .edits = true,
            .needs_base = true};
  }

  Json apply(Workspace& work) override {
    check_same_shape(work);
    const double share = work.options().interpolate;
    auto& model = work.merged();
    for (const auto& param : work.base()->transformer().params().all()) {
      edit_weight(model, param.spec.name, [&](const at::Tensor& weight) {
        const at::Tensor& whole = param.master.defined() ? param.master : param.value;
        return weight * (1 - share) + whole.detach().to(weight.device(), at::kFloat) * share;
      });
    }
    return {{"share", share}};
  }

 private:
  static void check_same_shape(const Workspace& work) {
    const auto& base = *work.base();
    if (!base.transformer().params().lora.empty())
      fail(ErrorKind::usage, cat("the base ", base.name(), " has an adapter"), "merge it first: reveille model merge");
    const auto &ours = work.model().transformer().params(), &theirs = base.transformer().params();
    for (const auto& param : ours.all()) {
      const std::string& name = param.spec.name;
      if (theirs.has(name) && theirs.at(name).spec.shape == param.spec.shape) continue;
      fail(ErrorKind::bad_input,
           cat("the base ", base.name(), " has ", theirs.has(name) ? "another shape of" : "no", " '", name, "' than ",
               work.model().name()),
           "interpolation needs the very base that the model was made from");
    }
    if (theirs.all().size() != ours.all().size())
      fail(ErrorKind::bad_input, cat("the base ", base.name(), " has other parameters than ", work.model().name()));
  }
};

}  // namespace

std::unique_ptr<Method> make_interpolate() { return std::make_unique<Interpolate>(); }

}  // namespace reveille::mitigate
