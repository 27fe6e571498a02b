// Several figures of a model put together into one score: logistic regression with a penalty on the squared weights
// (ridge), on figures that were made comparable first. Deterministic.
#pragma once

#include <span>
#include <vector>

namespace reveille::eval {

using Figures = std::vector<double>;

struct Logistic {
  Figures mean, deviation;  // of the figures that it was fitted on
  Figures weights;          // of the standardised figures
  double offset = 0;
  // 0 to 1. Standardised figures count for at most kLargest deviations, so that one that ran away does not decide
  // alone.
  double score(const Figures& figures) const;
};
inline constexpr double kLargest = 6;

// Minimises the mean log loss + penalty / (2 n) * sum of squared weights (the offset is free). A figure that never
// differs gets no weight. Error(numeric): rows of unlike width, or all of one kind.
Logistic fit_logistic(std::span<const Figures> rows, const std::vector<bool>& positive, double penalty = 1);

}  // namespace reveille::eval
