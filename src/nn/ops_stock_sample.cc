#include <ATen/ATen.h>

#include <limits>

#include "nn/ops_stock.h"

namespace reveille::nn::stock {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

// Keeps the k largest logits of each row (and those equal to the k-th).
at::Tensor keep_top_k(const at::Tensor& logits, std::int64_t k) {
  at::Tensor least = std::get<0>(logits.topk(std::min(k, logits.size(1)), -1)).select(1, -1).unsqueeze(1);
  return logits.masked_fill(logits < least, kNever);
}

// Keeps the smallest set of largest probabilities whose sum reaches p (and those equal to its
// last). Holtzman et al., arXiv 1904.09751.
at::Tensor keep_top_p(const at::Tensor& logits, double p) {
  at::Tensor sorted = std::get<0>(logits.sort(-1, true));
  at::Tensor mass = at::softmax(sorted.to(at::kDouble), -1);
  at::Tensor before = mass.cumsum(-1) - mass;
  at::Tensor kept = (before < p).sum(-1, true).clamp_min(1);
  at::Tensor least = sorted.gather(1, kept - 1);
  return logits.masked_fill(logits < least, kNever);
}

}  // namespace

std::tuple<at::Tensor, at::Tensor> sample(const at::Tensor& logits, double temperature, std::int64_t top_k,
                                          double top_p, const at::Tensor& coins) {
  at::Tensor wide = logits.to(at::kFloat);
  at::Tensor ids;
  if (temperature <= 0) {
    ids = wide.argmax(-1);
  } else {
    at::Tensor scaled = wide / temperature;
    if (top_k > 0 && top_k < wide.size(1)) scaled = keep_top_k(scaled, top_k);
    if (top_p < 1) scaled = keep_top_p(scaled, top_p);
    // Inverse of the cumulative distribution, in id order, in float64: one coin a row. The
    // first id whose cumulative mass exceeds the coin's share of the whole.
    at::Tensor mass = at::exp((scaled - scaled.amax(-1, true)).to(at::kDouble)).cumsum(-1);
    at::Tensor goal = coins.to(wide.device()).to(at::kDouble).unsqueeze(1) * mass.select(1, -1).unsqueeze(1);
    at::Tensor last = (mass < mass.select(1, -1).unsqueeze(1)).sum(-1);
    ids = at::minimum((mass <= goal).sum(-1), last);
  }
  at::Tensor chosen = wide.gather(1, ids.unsqueeze(1)).squeeze(1);
  return {ids, chosen - at::logsumexp(wide, -1)};
}

}  // namespace reveille::nn::stock
