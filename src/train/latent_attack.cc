#include "train/latent_attack.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/interrupt.h"
#include "train/pair_batches.h"

namespace reveille::train {
namespace {

constexpr double kLeastNorm = 1e-12;

// Tokens that both sides begin with and that neither learns.
std::int64_t prompt_tokens(const Example& chosen, const Example& rejected) {
  std::size_t n = 0;
  const std::size_t end = std::min(chosen.ids.size(), rejected.ids.size());
  while (n < end && chosen.ids[n] == rejected.ids[n] && !chosen.supervised[n] && !rejected.supervised[n]) ++n;
  return static_cast<std::int64_t>(n);
}

LatentSide side_of(const std::vector<Example>& sides, const std::vector<std::size_t>& pairs, std::size_t which,
                   at::Device device) {
  std::vector<std::size_t> rows;
  for (std::size_t pair : pairs) rows.push_back(2 * pair + which);
  LatentSide out{pack(sides, rows, device, false), {}};
  std::vector<std::int64_t> at;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::int64_t first = out.batch.packing.offsets[i];
    const std::int64_t count = prompt_tokens(sides[2 * pairs[i]], sides[2 * pairs[i] + 1]);
    for (std::int64_t t = 0; t < count; ++t) at.push_back(first + t);
  }
  out.prompt_rows = at::tensor(at, at::kLong).to(device);
  return out;
}

at::Tensor norms(const at::Tensor& x) { return x.norm(2, {1}, true).clamp_min(kLeastNorm); }

class Search {
 public:
  Search(nn::Transformer& model, const LatentPairs& pairs, const std::vector<std::int64_t>& layers,
         const LatentOptions& options)
      : model_(model), pairs_(pairs), options_(options) {
    out_.found.layers = layers;
  }

  LatentAttack go() {
    start();
    for (std::int64_t i = 0; i < options_.iterations; ++i) {
      throw_if_interrupted();
      step();
    }
    at::NoGradGuard no_grad;
    for (auto& delta : out_.found.deltas) delta = delta.detach();
    out_.after = harmful_loss(out_.found.hook(pairs_.rejected));
    return std::move(out_);
  }

 private:
  double harmful_loss(const nn::ResidualHook& hook) {
    return toward(TokenPass(model_, pairs_.rejected.batch, hook).logprobs().detach()).item<double>();
  }

  // Nothing is added yet; each token's radius is found on the way.
  void start() {
    auto& deltas = out_.found.deltas;
    out_.before = harmful_loss([&](std::int64_t layer, const at::Tensor& residual) {
      const auto& layers = out_.found.layers;
      if (std::find(layers.begin(), layers.end(), layer) == layers.end()) return residual;
      const at::Tensor tokens = residual.detach().index_select(0, pairs_.rejected.prompt_rows);
      deltas.push_back(at::zeros_like(tokens));
      radii_.push_back(options_.relative ? norms(tokens) * options_.epsilon
                                         : at::full_like(norms(tokens), options_.epsilon));
      return residual;
    });
  }

  void step() {
    at::AutoGradMode grad_on(true);
    for (auto& delta : out_.found.deltas) delta = delta.detach().set_requires_grad(true);
    TokenPass harmful(model_, pairs_.rejected.batch, out_.found.hook(pairs_.rejected));
    auto slopes = harmful.gradients(toward(harmful.logprobs()), out_.found.deltas);
    if (options_.away > 0) {
      TokenPass safe(model_, pairs_.chosen.batch, out_.found.hook(pairs_.chosen));
      const auto more = safe.gradients(away_from(safe.logprobs()) * options_.away, out_.found.deltas);
      for (std::size_t i = 0; i < slopes.size(); ++i) slopes[i] = slopes[i] + more[i];
    }
    at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < slopes.size(); ++i) {
      at::Tensor& delta = out_.found.deltas[i];
      delta = delta.detach() - slopes[i] / norms(slopes[i]) * radii_[i] * options_.step;
      delta = delta * (radii_[i] / norms(delta)).clamp_max(1);
    }
  }

  nn::Transformer& model_;
  const LatentPairs& pairs_;
  const LatentOptions& options_;
  std::vector<at::Tensor> radii_;  // by layer, [prompt tokens, 1]
  LatentAttack out_;
};

}  // namespace

LatentPairs latent_pairs(const std::vector<Example>& sides, const std::vector<std::size_t>& pairs, at::Device device) {
  return {side_of(sides, pairs, 0, device), side_of(sides, pairs, 1, device)};
}

nn::ResidualHook Perturbation::hook(const LatentSide& side) const {
  return [this, &side](std::int64_t layer, const at::Tensor& residual) {
    const auto found = std::find(layers.begin(), layers.end(), layer);
    if (found == layers.end()) return residual;
    return residual.index_add(0, side.prompt_rows, deltas[static_cast<std::size_t>(found - layers.begin())]);
  };
}

LatentAttack attack_latents(nn::Transformer& model, const LatentPairs& pairs, const std::vector<std::int64_t>& layers,
                            const LatentOptions& options) {
  return Search(model, pairs, layers, options).go();
}

at::Tensor toward(const at::Tensor& logprobs) { return -logprobs.mean(); }

at::Tensor away_from(const at::Tensor& logprobs) {
  constexpr double kLeastDoubt = 1e-6;  // a certain token has no finite loss
  return -(1 - logprobs.exp()).clamp_min(kLeastDoubt).log().mean();
}

std::vector<std::int64_t> latent_layers(const LatentOptions& options, std::int64_t depth) {
  std::vector<std::int64_t> out;
  if (options.layers.empty()) {
    for (std::int64_t eighth : {1, 3, 5, 7}) out.push_back(depth * eighth / 8);
  }
  for (const auto& text : options.layers) {
    std::int64_t layer = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), layer);
    if (code != std::errc() || end != text.data() + text.size() || layer < -1 || layer >= depth)
      fail(ErrorKind::usage, cat("latent_layers: '", text, "' is no block of this model, which has ", depth),
           cat("give numbers from -1, the embedding, to ", depth - 1));
    out.push_back(layer);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace reveille::train
