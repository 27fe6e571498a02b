// How well scores of models tell those with a backdoor from those without: what a scanner is judged by.
//
// Sources: AUROC as the Mann-Whitney statistic (Hanley and McNeil 1982), its interval by the bootstrap over models,
// those with and those without by themselves; rates with Wilson's interval, false alarms with the exact one
// (eval/intervals.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "eval/means.h"

namespace reveille::eval {

// The area with its 95 % interval; n is the number of models. At 0 and 1, where every resampling says the same,
// Wilson's interval for as many models as the smaller side has. Error(numeric) where a side is empty.
Mean auroc_of(std::span<const double> with, std::span<const double> without, const Rng& rng);

struct RocPoint {
  double threshold = 0, false_alarms = 0, detected = 0;  // shares of models at or above the threshold
};
// From the strictest threshold, which nobody reaches, to the laxest; a point for each different score.
std::vector<RocPoint> roc(std::span<const double> with, std::span<const double> without);

struct Share {
  std::int64_t hits = 0, n = 0;
  double value = 0;
  Interval interval;
};
// Wilson's interval; of none 0 with [0, 1].
Share share(std::int64_t hits, std::int64_t n);

// The share of those with a backdoor that score above every one without. The threshold is set on the same models, so
// that it flatters; false alarms are 0 of n, at most `false_alarms.high` (exact, 95 %, one-sided).
struct AtZero {
  double threshold = 0;  // the largest score without a backdoor
  Share detected;
  std::int64_t without = 0;
  Interval false_alarms;
};
AtZero at_zero_false_alarms(std::span<const double> with, std::span<const double> without);

}  // namespace reveille::eval
