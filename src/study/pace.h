// Reckons the time that is left of a study. Sampling and training run at quite different rates for the same rough
// count of tokens, so that each kind of step is reckoned by its own steps once one of them was timed.
#pragma once

#include "study/step.h"

namespace reveille::study {

class Pace {
 public:
  // `first`: tokens a second, before any step was timed.
  explicit Pace(double first) : first_(first) {}

  void worked(const Step& step, double seconds) {
    auto& kind = kinds_[step.trains];
    kind.tokens += step.tokens;
    kind.seconds += seconds;
  }

  double seconds_for(const Step& step) const {
    const auto& kind = kinds_[step.trains];
    const bool timed = kind.tokens > 0 && kind.seconds > 0;
    return step.tokens / (timed ? kind.tokens / kind.seconds : first_);
  }

 private:
  struct Kind {
    double tokens = 0, seconds = 0;
  };
  double first_;
  Kind kinds_[2];
};

}  // namespace reveille::study
