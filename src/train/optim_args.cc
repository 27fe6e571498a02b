#include "train/optim_args.h"

#include "base/error.h"
#include "base/strings.h"

namespace reveille::train {
namespace {

std::string place(const TrainOptions& options, const std::string& where) {
  return cat(where.empty() ? "" : where + ": ", "optim_args of ", optim_name(options));
}

template <class Own>
Own parsed(const TrainOptions& options, const std::string& where) {
  Own own;
  if (trim(options.optim_args).empty()) return own;
  for (const auto& part : split(options.optim_args, ",")) {
    const std::size_t at = part.find('=');
    if (at == std::string::npos) {
      fail(ErrorKind::usage, cat(place(options, where), ": '", trim(part), "' is not key=value"),
           cat("it takes ", join(option_names(own), ", "), ", as in optim_args=", option_names(own).front(), "=0.9"));
    }
    set_option(own, trim(part.substr(0, at)), trim(part.substr(at + 1)), place(options, where));
  }
  return own;
}

SgdOptions checked_sgd(const TrainOptions& options, const std::string& where) {
  const auto own = parsed<SgdOptions>(options, where);
  if (own.nesterov && (own.momentum == 0 || own.dampening != 0))
    fail(ErrorKind::usage, cat(place(options, where), ": nesterov=true needs a momentum, and dampening=0"),
         "optim_args=momentum=0.9,nesterov=true");
  return own;
}

AdafactorOptions checked_adafactor(const TrainOptions& options, const std::string& where) {
  const auto own = parsed<AdafactorOptions>(options, where);
  if (own.warmup_init && !own.relative_step)
    fail(ErrorKind::usage, cat(place(options, where), ": warmup_init=true needs relative_step=true"),
         "with a learning_rate, warm up by warmup_steps");
  return own;
}

}  // namespace

std::string optim_name(const TrainOptions& options) { return options.optim == "adamw" ? "adamw_torch" : options.optim; }

SgdOptions sgd_options(const TrainOptions& options) { return checked_sgd(options, ""); }

AdafactorOptions adafactor_options(const TrainOptions& options) { return checked_adafactor(options, ""); }

void check_optim(const TrainOptions& options, const std::string& where) {
  const std::string name = optim_name(options);
  if (name == "sgd") {
    checked_sgd(options, where);
  } else if (name == "adafactor") {
    checked_adafactor(options, where);
  } else if (!trim(options.optim_args).empty()) {
    fail(ErrorKind::usage, cat(place(options, where), ": '", options.optim_args, "' would not be read"),
         "its settings are adam_beta1, adam_beta2 and adam_epsilon; or choose optim=sgd or optim=adafactor");
  }
}

}  // namespace reveille::train
