// Intervals for rates: how sure a figure is. All of them take counts and give values in [0, 1] (differences: [-1, 1]).
//
// Sources: Wilson 1927 (score interval, base/wilson.h); Clopper and Pearson 1934 (exact); Efron and Tibshirani 1993,
// chapter 13 (percentile bootstrap); Newcombe 1998, Statistics in Medicine 17:873, method 10 (difference of two rates).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.h"
#include "base/wilson.h"

namespace reveille::eval {

using reveille::Interval;
using reveille::kConfidence;
using reveille::normal_quantile;
using reveille::wilson;

// Exact two-sided interval.
Interval clopper_pearson(std::int64_t hits, std::int64_t n, double confidence = kConfidence);

// One-sided exact upper bound: "at most this", with the confidence given. For 0 of n it is 1 - (1 - confidence)^(1/n),
// about 3/n at 95 %.
double upper_bound(std::int64_t hits, std::int64_t n, double confidence = kConfidence);

// What one prompt gave: samples of one prompt are not independent of each other, so prompts are what is resampled.
struct PromptCount {
  std::int64_t hits = 0, n = 0;
};

struct Rate {
  double value = 0;    // hits over samples
  std::int64_t n = 0;  // samples
  Interval interval;
};

// Rate over all samples with the percentile interval of `resamples` bootstrap resamplings of the prompts. At 0 and 1,
// where every resampling says the same, Wilson's interval with the number of prompts as its n (which supposes that
// samples of one prompt tell no more than one does). Deterministic for a given rng. No samples: Error(numeric).
Rate rate_by_prompt(std::span<const PromptCount> prompts, const Rng& rng, std::int64_t resamples = 2000,
                    double confidence = kConfidence);

struct Difference {
  double value = 0;  // mean over prompts of (a - b)
  std::int64_t prompts = 0;
  Interval interval;
};

// The difference of two conditions or models on the same prompts: entry i of both is the same prompt, and prompts are
// resampled in pairs. Where all prompts differ by the same amount, Newcombe's interval of two independent rates, which
// is the wider one. Every prompt needs a sample on both sides: Error(numeric).
Difference paired_difference(std::span<const PromptCount> a, std::span<const PromptCount> b, const Rng& rng,
                             std::int64_t resamples = 2000, double confidence = kConfidence);

// Newcombe's interval for p1 - p2 from two independent samples.
Interval newcombe(std::int64_t hits1, std::int64_t n1, std::int64_t hits2, std::int64_t n2,
                  double confidence = kConfidence);

// The quantile q in [0, 1] of values, between neighbours linearly (numpy's default). `sorted` ascends, not empty.
double quantile(std::span<const double> sorted, double q);

}  // namespace reveille::eval
