#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "nn/ops_stock.h"

namespace reveille::nn::stock {
namespace {

struct Heads {
  at::Tensor q, k, v;  // [tokens, heads or kv_heads, head_dim]
};

// Rotate-half rotary embedding, Su et al., arXiv 2104.09864, as in GPT-NeoX.
at::Tensor rotate(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  auto halves = x.to(at::kFloat).chunk(2, -1);
  at::Tensor turned = at::cat({-halves[1], halves[0]}, -1);
  return (x.to(at::kFloat) * cos + turned * sin).to(x.scalar_type());
}

Heads split_and_rotate(const at::Tensor& qkv, const at::Tensor& positions, const AttentionSpec& spec) {
  const std::int64_t tokens = qkv.size(0), kv = spec.kv_heads;
  at::Tensor parts = qkv.view({tokens, spec.heads + 2 * kv, spec.head_dim});
  Heads heads{parts.narrow(1, 0, spec.heads), parts.narrow(1, spec.heads, kv), parts.narrow(1, spec.heads + kv, kv)};
  if (spec.cos.defined()) {
    at::Tensor cos = spec.cos.index_select(0, positions).unsqueeze(1);
    at::Tensor sin = spec.sin.index_select(0, positions).unsqueeze(1);
    heads.q = rotate(heads.q, cos, sin);
    heads.k = rotate(heads.k, cos, sin);
  }
  return heads;
}

// True where query `start + row` may not see key `column`.
at::Tensor hidden_keys(std::int64_t rows, std::int64_t start, std::int64_t keys, std::int64_t window,
                       at::Device device) {
  at::Tensor query = at::arange(start, start + rows, at::TensorOptions(at::kLong).device(device)).unsqueeze(1);
  at::Tensor key = at::arange(keys, at::TensorOptions(at::kLong).device(device)).unsqueeze(0);
  at::Tensor hidden = key > query;
  if (window > 0) hidden = hidden.logical_or(key <= query - window);
  return hidden;
}

// q [rows, heads, d]; k, v [kv_heads, keys, d] -> [rows, heads * d]; query r has position start + r.
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t start,
                  const AttentionSpec& spec) {
  const std::int64_t rows = q.size(0), keys = k.size(1), groups = spec.heads / spec.kv_heads;
  at::Tensor wide = q.to(at::kFloat).transpose(0, 1).reshape({spec.kv_heads, groups * rows, spec.head_dim});
  at::Tensor scores = at::matmul(wide, k.to(at::kFloat).transpose(1, 2)) * spec.scale;
  scores = scores.view({spec.heads, rows, keys});
  if (rows > 1 || spec.window > 0) {
    at::Tensor hidden = hidden_keys(rows, start, keys, spec.window, q.device());
    scores = scores.masked_fill(hidden, -std::numeric_limits<float>::infinity());
  }
  at::Tensor weights = at::softmax(scores, -1).view({spec.kv_heads, groups * rows, keys});
  at::Tensor mixed = at::matmul(weights, v.to(at::kFloat)).view({spec.heads, rows, spec.head_dim});
  return mixed.transpose(0, 1).reshape({rows, spec.heads * spec.head_dim}).to(q.scalar_type());
}

}  // namespace

at::Tensor attention(const at::Tensor& qkv, const Packing& packing, const AttentionSpec& spec) {
  Heads heads = split_and_rotate(qkv, packing.positions, spec);
  std::vector<at::Tensor> outputs;
  for (std::int64_t i = 0; i < packing.batch(); ++i) {
    const std::int64_t first = packing.offsets[i], rows = packing.offsets[i + 1] - first;
    if (rows == 0) continue;
    at::Tensor k = heads.k.narrow(0, first, rows).transpose(0, 1);
    at::Tensor v = heads.v.narrow(0, first, rows).transpose(0, 1);
    outputs.push_back(attend(heads.q.narrow(0, first, rows), k, v, 0, spec));
  }
  if (outputs.empty()) return qkv.new_empty({0, spec.heads * spec.head_dim});
  return at::cat(outputs, 0);
}

at::Tensor attention_cached(const at::Tensor& qkv, const Packing& packing, const AttentionSpec& spec, LayerCache& cache,
                            const std::vector<std::int64_t>& slots) {
  Heads heads = split_and_rotate(qkv, packing.positions, spec);
  std::vector<at::Tensor> outputs;
  for (std::int64_t i = 0; i < packing.batch(); ++i) {
    const std::int64_t first = packing.offsets[i], rows = packing.offsets[i + 1] - first;
    if (rows == 0) continue;
    const std::int64_t start = packing.starts[i], keys = start + rows;
    at::Tensor k = cache.keys.select(0, slots[i]), v = cache.values.select(0, slots[i]);
    k.narrow(1, start, rows).copy_(heads.k.narrow(0, first, rows).transpose(0, 1));
    v.narrow(1, start, rows).copy_(heads.v.narrow(0, first, rows).transpose(0, 1));
    // A window hides everything before the first query's oldest key: leave it unread.
    const std::int64_t oldest = spec.window > 0 ? std::max<std::int64_t>(0, start - spec.window + 1) : 0;
    outputs.push_back(attend(heads.q.narrow(0, first, rows), k.narrow(1, oldest, keys - oldest),
                             v.narrow(1, oldest, keys - oldest), start - oldest, spec));
  }
  if (outputs.empty()) return qkv.new_empty({0, spec.heads * spec.head_dim});
  return at::cat(outputs, 0);
}

}  // namespace reveille::nn::stock
