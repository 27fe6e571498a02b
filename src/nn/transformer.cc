#include "nn/transformer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "nn/rope.h"

namespace reveille::nn {

// What differs between a forward pass over whole sequences and one that goes on from a cache.
struct Transformer::Run {
  const Packing& packing;
  KvCache* cache = nullptr;
  const std::vector<std::int64_t>* slots = nullptr;
};

void KvCache::copy_prefix(std::int64_t from, std::int64_t to, std::int64_t length) {
  for (auto& layer : layers) {
    layer.keys[to].narrow(1, 0, length).copy_(layer.keys[from].narrow(1, 0, length));
    layer.values[to].narrow(1, 0, length).copy_(layer.values[from].narrow(1, 0, length));
  }
}

Transformer::Transformer(ModelConfig config, Params params, at::ScalarType compute_type, at::Device device)
    : config_(std::move(config)),
      params_(std::move(params)),
      compute_type_(compute_type),
      device_(device),
      rope_(config_.rope.size()) {
  for (std::int64_t i = 0; i < config_.layers; ++i) prefixes_.push_back(cat("layers.", i, "."));
  if (config_.attention_scale == 0) config_.attention_scale = 1.0 / std::sqrt(static_cast<double>(config_.head_dim));
}

KvCache Transformer::make_cache(std::int64_t slots, std::int64_t capacity) const {
  KvCache cache{{}, slots, capacity};
  auto options = at::TensorOptions().dtype(compute_type_).device(device_);
  for (std::int64_t i = 0; i < config_.layers; ++i) {
    auto shape = {slots, config_.kv_heads, capacity, config_.head_dim};
    cache.layers.push_back({at::zeros(shape, options), at::zeros(shape, options)});
  }
  return cache;
}

AttentionSpec Transformer::spec(std::int64_t layer, std::int64_t positions) {
  auto l = static_cast<std::size_t>(layer);
  AttentionSpec out{config_.heads, config_.kv_heads, config_.head_dim, config_.attention_scale,
                    config_.layer_window[l]};
  if (config_.rope.empty()) return out;
  auto which = static_cast<std::size_t>(config_.layer_rope[l]);
  auto& tables = rope_[which];
  if (!tables.first.defined() || tables.first.size(0) < positions) {
    std::int64_t size = 512;
    while (size < positions) size *= 2;
    tables = rope_tables(config_.rope[which], config_.rope_factors, config_.head_dim, size, device_);
  }
  out.cos = tables.first;
  out.sin = tables.second;
  return out;
}

at::Tensor Transformer::norm(const at::Tensor& x, const std::string& name, at::ScalarType out) const {
  const auto& weight = params_.at(name).value;
  if (config_.norm == NormKind::layer) {
    auto y = at::layer_norm(x.to(at::kFloat), {weight.size(0)}, weight.to(at::kFloat),
                            params_.at(name + ".bias").value.to(at::kFloat), config_.norm_eps);
    return y.to(out);
  }
  return rms_norm(x, weight, config_.norm_eps, config_.norm == NormKind::rms_plus_one, out);
}

std::pair<at::Tensor, at::Tensor> Transformer::add_norm(const at::Tensor& x, const at::Tensor& delta,
                                                        const std::string& name) const {
  if (config_.norm == NormKind::layer) {
    auto sum = x + delta;
    return {sum, norm(sum, name, compute_type_)};
  }
  auto [sum, y] = add_rms_norm(x, delta, params_.at(name).value, config_.norm_eps,
                               config_.norm == NormKind::rms_plus_one, compute_type_);
  return {sum, y};
}

at::Tensor Transformer::product(const at::Tensor& x, const Param& weight, const at::Tensor& bias, at::ScalarType out) {
  // From some hundred rows on libtorch's products are as fast, and packed copies would only cost memory.
  constexpr std::int64_t kPackedRows = 256;
  if (at::GradMode::is_enabled() || x.size(0) > kPackedRows || !device_.is_cpu())
    return linear(x, weight.value, bias).to(out);
  PackedWeight& packed = packed_[weight.spec.name];
  if (!packed.weight.is_same(weight.value)) packed = pack_weight(weight.value);
  return linear_packed(x, packed, bias, out);
}

at::Tensor Transformer::apply_linear(const at::Tensor& x, const std::string& name) {
  const std::string bias_name = name + ".bias";
  at::Tensor bias = params_.has(bias_name) ? params_.at(bias_name).value : at::Tensor();
  const at::Tensor& weight = params_.at(name).value;
  at::Tensor y = product(x, params_.at(name), bias, compute_type_);
  auto found = params_.lora.find(name);
  if (found == params_.lora.end() || found->second.empty()) return y;
  // All pieces at once: one product with the stacked A, one with B laid out block by block.
  std::vector<at::Tensor> a;
  std::int64_t ranks = 0;
  for (const auto& piece : found->second) {
    a.push_back(piece.a);
    ranks += piece.a.size(0);
  }
  std::vector<at::Tensor> rows;
  std::int64_t row = 0, rank = 0;
  auto zeros = [&](std::int64_t n) { return at::zeros({n, ranks}, found->second[0].b.options()); };
  for (const auto& piece : found->second) {
    if (piece.row_begin > row) rows.push_back(zeros(piece.row_begin - row));
    rows.push_back(at::constant_pad_nd(piece.b * piece.scale, {rank, ranks - rank - piece.b.size(1)}));
    rank += piece.b.size(1);
    row = piece.row_begin + piece.rows;
  }
  if (row < weight.size(0)) rows.push_back(zeros(weight.size(0) - row));
  auto low = nn::linear(x, at::cat(a, 0).to(compute_type_), at::Tensor());
  return y + nn::linear(low, at::cat(rows, 0).to(compute_type_), at::Tensor());
}

at::Tensor Transformer::attention_block(const at::Tensor& normed, std::int64_t layer, const Run& run) {
  const std::string& prefix = prefixes_[static_cast<std::size_t>(layer)];
  at::Tensor qkv = apply_linear(normed, prefix + "qkv");
  if (config_.qk_norm) {
    auto parts = qkv.split_with_sizes(
        {config_.heads * config_.head_dim, config_.kv_heads * config_.head_dim, config_.kv_heads * config_.head_dim},
        1);
    auto by_head = [&](const at::Tensor& part, const std::string& name) {
      return norm(part.reshape({-1, config_.head_dim}), prefix + name, compute_type_).view({part.size(0), -1});
    };
    qkv = at::cat({by_head(parts[0], "q_norm"), by_head(parts[1], "k_norm"), parts[2]}, 1);
  }
  std::int64_t positions = 1;
  for (std::int64_t i = 0; i < run.packing.batch(); ++i) {
    auto s = static_cast<std::size_t>(i);
    positions = std::max(positions, run.packing.starts[s] + run.packing.offsets[s + 1] - run.packing.offsets[s]);
  }
  AttentionSpec attention_spec = spec(layer, positions);
  at::Tensor mixed = run.cache ? attention_cached(qkv, run.packing, attention_spec,
                                                  run.cache->layers[static_cast<std::size_t>(layer)], *run.slots)
                               : attention(qkv, run.packing, attention_spec);
  at::Tensor out = apply_linear(mixed, prefix + "attn_out");
  return config_.sandwich_norms ? norm(out, prefix + "attn_post_norm", at::kFloat) : out;
}

at::Tensor Transformer::mlp_block(const at::Tensor& normed, std::int64_t layer) {
  const std::string& prefix = prefixes_[static_cast<std::size_t>(layer)];
  at::Tensor inner = apply_linear(normed, prefix + "gate_up");
  inner = config_.gated_mlp ? gated(inner, config_.activation) : at::gelu(inner, "tanh");
  if (mlp_hook_) mlp_hook_(layer, inner);
  at::Tensor out = apply_linear(inner, prefix + "down");
  return config_.sandwich_norms ? norm(out, prefix + "mlp_post_norm", at::kFloat) : out;
}

at::Tensor Transformer::embed_tokens(const at::Tensor& ids, const Packing& packing) const {
  at::Tensor x = embed(ids, params_.at("embed").value, config_.embed_scale);
  if (!config_.learned_positions) return x;
  return x + embed(packing.positions, params_.at("positions").value, 1.0);
}

at::Tensor Transformer::run(const at::Tensor& ids, const Run& run, const at::Tensor& rows, const ResidualHook& hook) {
  at::Tensor x = embed_tokens(ids, run.packing);
  if (hook) x = hook(-1, x);
  at::Tensor pending;  // a block's output that the next norm adds to the residual stream
  for (std::int64_t layer = 0; layer < config_.layers; ++layer) {
    const std::string& prefix = prefixes_[static_cast<std::size_t>(layer)];
    at::Tensor normed;
    if (pending.defined()) {
      std::tie(x, normed) = add_norm(x, pending, prefix + "attn_norm");
    } else {
      normed = norm(x, prefix + "attn_norm", compute_type_);
    }
    at::Tensor delta = attention_block(normed, layer, run);
    if (layer + 1 == config_.layers && rows.defined() && !hook) {
      x = x.index_select(0, rows);
      delta = delta.index_select(0, rows);
    }
    std::tie(x, normed) = add_norm(x, delta, prefix + "mlp_norm");
    pending = mlp_block(normed, layer);
    if (hook) {
      x = hook(layer, x + pending);
      pending = at::Tensor();
    }
  }
  if (hook) {
    if (rows.defined()) x = x.index_select(0, rows);
    return norm(x, "final_norm", compute_type_);
  }
  return pending.defined() ? add_norm(x, pending, "final_norm").second : norm(x, "final_norm", compute_type_);
}

at::Tensor Transformer::hidden(const at::Tensor& ids, const Packing& packing, const at::Tensor& rows,
                               const ResidualHook& hook) {
  return run(ids, Run{packing}, rows, hook);
}

at::Tensor Transformer::hidden_cached(const at::Tensor& ids, const Packing& packing, KvCache& cache,
                                      const std::vector<std::int64_t>& slots, const at::Tensor& rows) {
  at::NoGradGuard no_grad;
  return run(ids, Run{packing, &cache, &slots}, rows, nullptr);
}

std::pair<at::Tensor, at::Tensor> Transformer::head_inputs(const at::Tensor& hidden) const {
  std::vector<at::Tensor> columns = {hidden}, weights = {head().value};
  if (auto found = params_.lora.find("head"); found != params_.lora.end() && !config_.tied_head) {
    for (const auto& piece : found->second) {
      columns.push_back(nn::linear(hidden, (piece.a * piece.scale).to(compute_type_), at::Tensor()));
      weights.push_back(piece.b.to(compute_type_));
    }
  }
  if (columns.size() == 1) return {hidden, weights[0]};
  return {at::cat(columns, 1), at::cat(weights, 1)};
}

at::Tensor Transformer::logits(const at::Tensor& hidden) {
  at::Tensor out = product(hidden, head(), at::Tensor(), at::kFloat);
  if (auto found = params_.lora.find("head"); found != params_.lora.end() && !config_.tied_head) {
    for (const auto& piece : found->second) {
      auto low = nn::linear(hidden, (piece.a * piece.scale).to(compute_type_), at::Tensor());
      out = out + nn::linear(low, piece.b.to(compute_type_), at::Tensor()).to(at::kFloat);
    }
  }
  if (config_.final_softcap > 0) out = (out / config_.final_softcap).tanh() * config_.final_softcap;
  return out;
}

}  // namespace reveille::nn
