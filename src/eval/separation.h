// How well one number a prompt tells two kinds of prompts apart.
//
// Sources: AUROC as the Mann-Whitney statistic (Hanley and McNeil 1982); intervals by the bootstrap over pairs, as
// positives[i] and negatives[i] are the same prompt with and without a trigger.
#pragma once

#include <span>
#include <vector>

#include "eval/means.h"

namespace reveille::eval {

// The share of pairs (positive, negative) in which the positive one is larger; ties count half. Neither is empty.
double auroc(std::span<const double> positives, std::span<const double> negatives);

// The share of negatives at or above the highest threshold that still catches `detection_rate` of the positives.
double false_positive_rate(std::span<const double> positives, std::span<const double> negatives, double detection_rate);

// With 95 % intervals; n is the number of pairs. Where every resampling says the same (0 or 1), Wilson's interval for
// that many prompts. Error(numeric) for unequal or empty lists.
Mean auroc_by_pair(std::span<const double> positives, std::span<const double> negatives, const Rng& rng);
Mean false_positive_rate_by_pair(std::span<const double> positives, std::span<const double> negatives,
                                 double detection_rate, const Rng& rng);

using Vector = std::vector<float>;

// mean(positives) - mean(negatives), all of one width.
Vector mean_direction(std::span<const Vector> positives, std::span<const Vector> negatives);
// Normal and independent in every coordinate.
Vector random_direction(std::size_t width, Rng rng);
// The dot product of every vector with `direction`.
std::vector<double> project(std::span<const Vector> vectors, const Vector& direction);

}  // namespace reveille::eval
