// Which optimiser a run uses and its own settings, under transformers' names: `optim` and `optim_args`, the latter as
// key=value,key=value. What is not set is what transformers' Trainer passes.
#pragma once

#include <string>

#include "base/options.h"
#include "train/options.h"

namespace reveille::train {

// torch.optim.SGD.
struct SgdOptions {
  double momentum = 0, dampening = 0;
  bool nesterov = false;
  void visit(OptionVisitor& v) {
    v.option("momentum", momentum, {.help = "share of the last step's direction that is kept", .min = 0});
    v.option("dampening", dampening, {.help = "what is taken off the gradient's share in it"});
    v.option("nesterov", nesterov, {.help = "look one step ahead"});
  }
};

// transformers.optimization.Adafactor (Shazeer & Stern, arXiv 1804.04235). Its pair eps is eps1 and eps2 here.
struct AdafactorOptions {
  bool scale_parameter = false, relative_step = false, warmup_init = false;
  double clip_threshold = 1, decay_rate = -0.8, beta1 = 0, eps1 = 1e-30, eps2 = 1e-3;
  void visit(OptionVisitor& v) {
    v.option("scale_parameter", scale_parameter, {.help = "a step is a share of the parameter's root mean square"});
    v.option("relative_step", relative_step,
             {.help = "1/sqrt(step), at most 0.01, in learning_rate's place, which is not read then"});
    v.option("warmup_init", warmup_init, {.help = "relative_step: at most 1e-6 times the step"});
    v.option("clip_threshold", clip_threshold, {.help = "root mean square that an update is clipped to", .min = 1e-30});
    v.option("decay_rate", decay_rate, {.help = "power of the step in the second moment's decay", .max = 0});
    v.option("beta1", beta1, {.help = "decay of a first moment; 0: none is kept", .min = 0, .max = 1});
    v.option("eps1", eps1, {.help = "added to squared gradients", .min = 0, .aliases = {"eps"}});
    v.option("eps2", eps2, {.help = "scale_parameter: least root mean square", .min = 0});
  }
};

// "adamw_torch", "sgd" or "adafactor": aliases are resolved.
std::string optim_name(const TrainOptions& options);

SgdOptions sgd_options(const TrainOptions& options);
AdafactorOptions adafactor_options(const TrainOptions& options);

// Error(usage), beginning with `where`, for optim_args that the optimiser does not take.
void check_optim(const TrainOptions& options, const std::string& where = "");

}  // namespace reveille::train
