// The output head with softmax: each panel of the vocabulary leaves its maximum and sums beside
// the logits, which are kept relative to that maximum, so that rounding them to bfloat16 hardly
// touches the probabilities that matter. Included once by each kernels_*.cc.
#pragma once

#include "nn/kernels_panel.h"

namespace reveille::nn::kernels {
namespace {

inline constexpr float kLeast = -200.0F;  // exp of it is 0; finite, so that 0 * it is 0

inline std::int64_t panels_of(std::int64_t vocab) { return (vocab + kPanel - 1) / kPanel; }

// cap tanh(x / cap), tanh through the logistic function.
inline F capped(F x, float cap) { return splat(cap) * (splat(2.0F) * sigmoid(x * splat(2.0F / cap)) - splat(1.0F)); }

// One row of a tile: statistics, and l - max in place.
inline void sum_up(float* row, std::int64_t columns, float softcap, float* max, float* sum, float* moment) {
  const F never = splat(-__builtin_inff());
  F most = never;
  for (std::int64_t i = 0; i < kPanel; i += kLanes) {
    F x = load(row + i);
    if (softcap > 0) x = capped(x, softcap);
    if (columns - i < kLanes) x = columns <= i ? never : keep_first(x, columns - i, never);
    store(row + i, x);
    most = vmax(most, x);
  }
  *max = largest(most);
  const F shift = splat(*max);
  F sums = zero(), moments = zero();
  for (std::int64_t i = 0; i < kPanel; i += kLanes) {
    const F below = vmax(splat(kLeast), load(row + i) - shift), mass = vexp(below);
    store(row + i, below);
    sums += mass;
    moments = fma(below, mass, moments);
  }
  *sum = total(sums);
  *moment = total(moments);
}

template <class L>
void keep_logits(const Head& a, std::int64_t row, std::int64_t panel, const float* tile, L* logits) {
  each_vector(columns_of(panel, a.vocab), [&](std::int64_t i, std::int64_t n) {
    store(logits + row * a.vocab + panel * kPanel + i, load(tile + i, n), n);
  });
}

template <class P>
void head_panel(const Head& a, std::int64_t panel, void* scratch) {
  const PanelScratch<P> s(scratch, a.inner);
  const std::int64_t panels = panels_of(a.vocab), columns = columns_of(panel, a.vocab);
  pack_heads<P>({a.weight, panel * kPanel * a.inner, a.inner}, panel_shape<P>(a.inner), columns, s.rows, s.panel,
                nullptr);
  for (std::int64_t row = 0; row < a.rows; row += P::kTall) {
    const std::int64_t rows = a.rows - row < P::kTall ? a.rows - row : P::kTall;
    multiply_tile<P>(a.x, a.inner, row, rows, s.panel, s.tile);
    for (std::int64_t r = 0; r < rows; ++r) {
      float* tile = s.tile + r * kPanel;
      float* stats = a.panel_stats + (row + r) * 3 * panels + panel;
      sum_up(tile, columns, a.softcap, stats, stats + panels, stats + 2 * panels);
      const std::int64_t target = a.targets[row + r] - panel * kPanel;
      if (target >= 0 && target < kPanel) a.target_logits[row + r] = tile[target] + stats[0];
      if (a.logits.data != nullptr)
        with_type(a.logits, [&](auto* logits) { keep_logits(a, row + r, panel, tile, logits); });
    }
  }
}

struct RowTotals {
  float max, log_sum;  // of all logits
};

inline RowTotals total_row(const Head& a, std::int64_t row) {
  const std::int64_t panels = panels_of(a.vocab);
  const float* maxima = a.panel_stats + row * 3 * panels;
  F most = splat(-__builtin_inff());
  each_vector(panels, [&](std::int64_t i, std::int64_t n) {
    most = vmax(most, keep_first(load(maxima + i, n), n, splat(-__builtin_inff())));
  });
  const float peak = largest(most);
  F sums = zero(), moments = zero();
  each_vector(panels, [&](std::int64_t i, std::int64_t n) {
    const F below = vmax(splat(kLeast), load(maxima + i, n) - splat(peak));
    const F factor = keep_first(vexp(below), n, zero());
    const F sum = load(maxima + panels + i, n);
    sums = fma(factor, sum, sums);
    moments = fma(factor, fma(below, sum, load(maxima + 2 * panels + i, n)), moments);
  });
  const float sum = total(sums), log_of_sum = __builtin_logf(sum);
  a.logprobs[row] = a.target_logits[row] - peak - log_of_sum;
  if (a.entropy != nullptr) a.entropy[row] = log_of_sum - total(moments) / sum;
  if (a.correct != nullptr) a.correct[row] = a.target_logits[row] >= peak;
  return {peak, peak + log_of_sum};
}

// (p - [target]) * weight * d(capped logit), in place.
template <class L>
void head_gradient(const Head& a, std::int64_t row, const RowTotals& totals, L* logits) {
  const std::int64_t panels = panels_of(a.vocab);
  const float* maxima = a.panel_stats + row * 3 * panels;
  const F weight = splat(a.row_weights[row]), one = splat(1.0F);
  L* values = logits + row * a.vocab;
  for (std::int64_t panel = 0; panel < panels; ++panel) {
    const F max = splat(maxima[panel]), shift = max - splat(totals.log_sum);
    each_vector(columns_of(panel, a.vocab), [&](std::int64_t i, std::int64_t n) {
      L* at = values + panel * kPanel + i;
      const F below = load(at, n);
      F grad = vexp(below + shift) * weight;
      if (a.softcap > 0) {
        const F share = (below + max) * splat(1 / a.softcap);
        grad = grad * (one - share * share);
      }
      store(at, grad, n);
    });
  }
  const float share = a.softcap > 0 ? a.target_logits[row] / a.softcap : 0;
  const float p = __builtin_expf(a.logprobs[row]);
  store(values + a.targets[row], splat((p - 1) * a.row_weights[row] * (1 - share * share)), 1);
}

inline void head_rows(const Head& a, std::int64_t first_row, std::int64_t last_row) {
  for (std::int64_t row = first_row; row < last_row; ++row) {
    const RowTotals totals = total_row(a, row);
    if (a.logits.data == nullptr) continue;
    with_type(a.logits, [&](auto* logits) {
      if (a.row_weights[row] != 0) return head_gradient(a, row, totals, logits);
      __builtin_memset(logits + row * a.vocab, 0, static_cast<std::uint64_t>(a.vocab) * sizeof(*logits));
    });
  }
}

template <class P>
constexpr PanelKernels panel_kernels() {
  return {kPanel,        P::kDepth == 2,    panel_bytes<P>, panel_scratch_bytes<P>,
          pack_panel<P>, panel_multiply<P>, head_panel<P>,  head_rows};
}

}  // namespace
}  // namespace reveille::nn::kernels
