// The singular values and vectors of a weight difference, and the figures that tell a change in one direction from one
// in many: concentration of energy, stable and effective rank, kurtosis (arXiv 2602.15195 tells poisoned adapters
// apart by such figures).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace reveille::scan {

// The largest singular values of a matrix, falling, with their left vectors.
struct Leading {
  std::vector<double> values;
  at::Tensor left;  // [out, values] float32
};

// The `count` largest (fewer where the matrix has fewer), by a random projection with `oversampling` more columns and
// `passes` subspace iterations (Halko, Martinsson and Tropp, arXiv 0909.4061, algorithm 4.4). matrix [out, in]
// float32. The same for equal arguments.
Leading leading_values(const at::Tensor& matrix, std::int64_t count, std::uint64_t seed, std::int64_t oversampling = 8,
                       int passes = 2);

struct Spectrum {
  double energy = 0;        // sum of squares, without what rounding is expected to add
  double noise_energy = 0;  // that
  double edge = 0;          // the largest singular value that rounding alone would give
  Leading leading;          // as computed
  std::int64_t above = 0;   // how many of them are above the edge
  // Of what is above the edge:
  double top_share = 0, top_four_share = 0;  // of `energy` that the first and the first four directions hold
  double stable_rank = 0;                    // energy over the first direction's
  // exp of the entropy of the directions' shares of energy; energy that the leading values do not hold is taken as
  // spread over all other directions, so that this is an upper bound.
  double effective_rank = 0;
  double kurtosis = 0;  // of the matrix's elements, 3 for a normal distribution
};

// `noise` [out, in]: variance of each element by rounding; undefined: none. The edge is the largest row's and the
// largest column's deviation together, which bounds the norm of a random matrix with these variances (Bandeira and van
// Handel, arXiv 1408.6185, the leading term) and is sharp when they are equal. Rounding a language model's matrices to
// bfloat16 or GGML's types stays 15 to 35 percent below it.
Spectrum spectrum_of(const at::Tensor& difference, const at::Tensor& noise, std::int64_t count, std::uint64_t seed);

}  // namespace reveille::scan
