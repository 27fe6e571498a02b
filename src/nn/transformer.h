// The one implementation of the blocks, for training, sampling and scoring alike.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "nn/config.h"
#include "nn/ops.h"
#include "nn/params.h"

namespace reveille::nn {

// Keys and values of all layers: `slots` sequences of up to `capacity` tokens.
struct KvCache {
  std::vector<LayerCache> layers;
  std::int64_t slots = 0, capacity = 0;
  // Copies the first `length` tokens of one slot to another (a shared prefix, computed once).
  void copy_prefix(std::int64_t from, std::int64_t to, std::int64_t length);
};

// Called with the residual stream [tokens, hidden] float32; what it returns goes on. `layer` -1 is
// the embedding, l is the output of block l.
using ResidualHook = std::function<at::Tensor(std::int64_t layer, const at::Tensor& residual)>;

// Called with the inner activations of a block's MLP, which its down projection is given: [rows, intermediate].
using MlpHook = std::function<void(std::int64_t layer, const at::Tensor& inner)>;

class Transformer {
 public:
  Transformer(ModelConfig config, Params params, at::ScalarType compute_type, at::Device device);

  // ids [tokens] int64 in packed order -> final normed hidden states in compute type. With `rows`
  // ([n] int64), only those rows come back, and the last block does its MLP on them alone.
  at::Tensor hidden(const at::Tensor& ids, const Packing& packing, const at::Tensor& rows = {},
                    const ResidualHook& hook = nullptr);
  // The same from a cache, without gradients.
  at::Tensor hidden_cached(const at::Tensor& ids, const Packing& packing, KvCache& cache,
                           const std::vector<std::int64_t>& slots, const at::Tensor& rows = {});
  // hidden [rows, hidden] -> logits [rows, vocab], float32.
  at::Tensor logits(const at::Tensor& hidden);

  KvCache make_cache(std::int64_t slots, std::int64_t capacity) const;

  const ModelConfig& config() const { return config_; }
  Params& params() { return params_; }
  const Params& params() const { return params_; }
  // What head_loss and head_logprobs want of final hidden states [rows, hidden]: those and the head's weight. An
  // adapter of the head stands in both as more columns: [x, scale A x] [W, B]^T.
  std::pair<at::Tensor, at::Tensor> head_inputs(const at::Tensor& hidden) const;
  at::ScalarType compute_type() const { return compute_type_; }
  at::Device device() const { return device_; }

  // Looks on from now on, whatever runs; nullptr ends it.
  void watch_mlp(MlpHook hook) { mlp_hook_ = std::move(hook); }

  // To be called after weights were changed in place: what was packed for decoding is dropped.
  void weights_changed() { packed_.clear(); }

 private:
  struct Run;
  const Param& head() const { return params_.at(config_.tied_head ? "embed" : "head"); }
  at::Tensor run(const at::Tensor& ids, const Run& run, const at::Tensor& rows, const ResidualHook& hook);
  at::Tensor norm(const at::Tensor& x, const std::string& name, at::ScalarType out) const;
  std::pair<at::Tensor, at::Tensor> add_norm(const at::Tensor& x, const at::Tensor& delta,
                                             const std::string& name) const;
  // x @ weight^T + bias, results in `out`, by a packed weight where few rows and no gradients make it faster.
  at::Tensor product(const at::Tensor& x, const Param& weight, const at::Tensor& bias, at::ScalarType out);
  at::Tensor apply_linear(const at::Tensor& x, const std::string& name);
  at::Tensor attention_block(const at::Tensor& normed, std::int64_t layer, const Run& run);
  at::Tensor mlp_block(const at::Tensor& normed, std::int64_t layer);
  at::Tensor embed_tokens(const at::Tensor& ids, const Packing& packing) const;
  AttentionSpec spec(std::int64_t layer, std::int64_t positions);

  ModelConfig config_;
  Params params_;
  at::ScalarType compute_type_;
  at::Device device_;
  MlpHook mlp_hook_;
  std::vector<std::string> prefixes_;                    // "layers.N."
  std::vector<std::pair<at::Tensor, at::Tensor>> rope_;  // by rope index, grown on demand
  std::map<std::string, PackedWeight> packed_;           // by parameter, made when decoding first needs it
};

}  // namespace reveille::nn
