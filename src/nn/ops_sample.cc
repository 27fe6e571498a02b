// Draws tokens: the inverse of the cumulative distribution in id order, found by sums over blocks
// and then within one block, so that the vocabulary is read twice.
#include <cmath>
#include <functional>
#include <limits>

#include "base/error.h"
#include "nn/ops.h"
#include "nn/ops_stock.h"
#include "nn/ops_support.h"

namespace reveille::nn {
namespace {

using kernels::kLogitBlock;
using kernels::LogitRow;

constexpr float kNever = -std::numeric_limits<float>::infinity();

struct Settings {
  double temperature, top_p;
  std::int64_t top_k;
};

float logit_at(const LogitRow& row, std::int64_t id) {
  if (!row.logits.half) return static_cast<const float*>(row.logits.data)[row.offset + id];
  return static_cast<float>(static_cast<const at::BFloat16*>(row.logits.data)[row.offset + id]);
}

struct Drawn {
  std::int64_t id = 0;
  float logprob = 0;
};

// One row on its way to a token.
class Draw {
 public:
  Draw(const LogitRow& row, const Settings& settings) : row_(row), settings_(settings) {
    maxima_.resize((row.vocab + kLogitBlock - 1) / kLogitBlock);
    plain_.resize(maxima_.size());
    sharp_.resize(maxima_.size());
    row_.max = kernels::table().block_maxima(row_, maxima_.data());
    row_.sharpness = settings.temperature > 0 ? static_cast<float>(1 / settings.temperature) : 1.0F;
    kernels::table().block_sums(row_, plain_.data(), sharp_.data());
  }

  // NaN where the logits hold NaN or infinity.
  Drawn with(double coin) {
    const double whole = sum(plain_);
    if (!std::isfinite(whole)) return {0, std::numeric_limits<float>::quiet_NaN()};
    const bool greedy = settings_.temperature <= 0;
    const std::int64_t id = greedy ? first_of_best() : truncated() ? among_kept(coin) : among_all(coin);
    return {id, static_cast<float>(static_cast<double>(logit_at(row_, id) - row_.max) - std::log(whole))};
  }

 private:
  static double sum(const std::vector<float>& blocks) {
    double total = 0;
    for (float block : blocks) total += static_cast<double>(block);
    return total;
  }

  bool truncated() const { return (settings_.top_k > 0 && settings_.top_k < row_.vocab) || settings_.top_p < 1; }

  std::int64_t first_of_best() const {
    const auto block = std::find(maxima_.begin(), maxima_.end(), row_.max) - maxima_.begin();
    std::int64_t id = block * kLogitBlock;
    while (logit_at(row_, id) != row_.max) ++id;
    return id;
  }

  std::int64_t among_all(double coin) {
    const double goal = coin * sum(sharp_);
    double before = 0;
    std::size_t block = 0, last = 0;
    for (; block < sharp_.size(); ++block) {
      if (sharp_[block] > 0) last = block;
      if (before + static_cast<double>(sharp_[block]) > goal) break;
      before += static_cast<double>(sharp_[block]);
    }
    block = std::min(block, last);
    float weights[kLogitBlock];
    const std::int64_t count = kernels::table().block_weights(row_, static_cast<std::int64_t>(block), weights);
    std::int64_t chosen = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      if (weights[i] > 0) chosen = i;  // rounding may leave the goal just beyond the block's last
      before += static_cast<double>(weights[i]);
      if (before > goal) break;
    }
    return static_cast<std::int64_t>(block) * kLogitBlock + chosen;
  }

  // All logits that are at least `least`.
  std::vector<float> at_least(float least) const {
    std::vector<float> found;
    for (std::size_t block = 0; block < maxima_.size(); ++block) {
      if (maxima_[block] < least) continue;
      const std::int64_t first = static_cast<std::int64_t>(block) * kLogitBlock;
      for (std::int64_t id = first; id < std::min(row_.vocab, first + kLogitBlock); ++id)
        if (logit_at(row_, id) >= least) found.push_back(logit_at(row_, id));
    }
    return found;
  }

  // The `count` largest logits (and those equal to the last), largest first. The count-th largest
  // block maximum is no larger than the count-th largest logit, so few blocks are looked into.
  std::vector<float> largest(std::int64_t count) const {
    float bound = kNever;
    if (count < static_cast<std::int64_t>(maxima_.size())) {
      std::vector<float> best = maxima_;
      std::nth_element(best.begin(), best.begin() + (count - 1), best.end(), std::greater<>());
      bound = best[count - 1];
    }
    std::vector<float> found = at_least(bound);
    std::sort(found.begin(), found.end(), std::greater<>());
    if (count < static_cast<std::int64_t>(found.size())) {
      const float least = found[count - 1];
      found.erase(std::find_if(found.begin() + count, found.end(), [&](float x) { return x < least; }), found.end());
    }
    return found;
  }

  double mass(float logit) const {
    return std::exp((static_cast<double>(logit) - row_.max) * static_cast<double>(row_.sharpness));
  }

  // The least logit among `best` (largest first) that the nucleus of share top_p of `total` holds;
  // false where these do not reach that share.
  bool nucleus(const std::vector<float>& best, double total, float& least) const {
    double before = 0;
    for (float logit : best) {
      least = logit;
      before += mass(logit);
      if (before >= settings_.top_p * total) return true;
    }
    return false;
  }

  float least_kept() const {
    float least = kNever;
    if (settings_.top_k > 0 && settings_.top_k < row_.vocab) {
      const std::vector<float> best = largest(settings_.top_k);
      least = best.back();
      double total = 0;
      for (float logit : best) total += mass(logit);
      if (settings_.top_p < 1) nucleus(best, total, least);
      return least;
    }
    for (std::int64_t count = 64;; count *= 8) {
      const std::vector<float> best = largest(std::min(count, row_.vocab));
      if (nucleus(best, sum(sharp_), least) || count >= row_.vocab) return least;
    }
  }

  std::int64_t among_kept(double coin) const {
    const float least = least_kept();
    std::vector<std::pair<std::int64_t, double>> kept;  // id, mass up to and with it
    double total = 0;
    for (std::size_t block = 0; block < maxima_.size(); ++block) {
      if (maxima_[block] < least) continue;
      const std::int64_t first = static_cast<std::int64_t>(block) * kLogitBlock;
      for (std::int64_t id = first; id < std::min(row_.vocab, first + kLogitBlock); ++id)
        if (const float logit = logit_at(row_, id); logit >= least) kept.emplace_back(id, total += mass(logit));
    }
    const double goal = coin * total;
    for (const auto& [id, reached] : kept)
      if (reached > goal) return id;
    return kept.back().first;
  }

  LogitRow row_;
  Settings settings_;
  std::vector<float> maxima_, plain_, sharp_;  // of blocks
};

using Draws = std::tuple<at::Tensor, at::Tensor>;

Draws run(const at::Tensor& logits, const Settings& settings, const at::Tensor& coins) {
  const std::int64_t rows = logits.size(0), vocab = logits.size(1);
  at::Tensor ids = at::empty({rows}, at::kLong), logprobs = at::empty({rows}, at::kFloat);
  auto* id = ids.mutable_data_ptr<std::int64_t>();
  auto* logprob = logprobs.mutable_data_ptr<float>();
  const double* coin = settings.temperature > 0 ? coins.const_data_ptr<double>() : nullptr;
  over_tasks(rows, 0, [&](std::int64_t row, void*) {
    Draw draw(LogitRow{as_in(logits), row * vocab, vocab}, settings);
    const Drawn drawn = draw.with(coin == nullptr ? 0 : coin[row]);
    id[row] = drawn.id;
    logprob[row] = drawn.logprob;
  });
  return {ids, logprobs};
}

void check(const at::Tensor& logits, double temperature, const at::Tensor& coins) {
  if (logits.dim() != 2 || logits.size(1) == 0) fail(ErrorKind::internal, "sample: logits are not [rows, vocab]");
  const bool right =
      coins.defined() && coins.is_cpu() && coins.scalar_type() == at::kDouble && coins.numel() == logits.size(0);
  if (temperature > 0 && !right) fail(ErrorKind::internal, "sample: expected one float64 coin a row, on the CPU");
}

}  // namespace

Draws sample(const at::Tensor& logits, double temperature, std::int64_t top_k, double top_p, const at::Tensor& coins) {
  at::NoGradGuard no_grad;
  check(logits, temperature, coins);
  const bool kernel = kernels_take(KernelLevel::avx2, {logits});
  const at::Tensor flips = temperature > 0 ? coins.contiguous() : coins;
  Draws draws = kernel ? run(logits.contiguous(), {temperature, top_p, top_k}, flips)
                       : stock::sample(logits, temperature, top_k, top_p, flips);
  if (!std::get<1>(draws).isfinite().all().item<bool>())
    fail(ErrorKind::numeric, "the model gave NaN or infinite logits", "the model or its training has diverged");
  return draws;
}

}  // namespace reveille::nn
