// Every operator as the kernels do it and as stock operators do, at the shapes of
// SmolLM2-135M-Instruct: 16 sequences of 150 tokens in training, 64 rows in decoding.
//
//   ops_bench --benchmark_filter=attention
//
// `GFLOP/s` counts the operations that the result needs (half of the scores, for causal
// attention), `GB/s` the bytes that must be read or written once. Two threads, or OMP_NUM_THREADS.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdlib>
#include <functional>
#include <string>

#include "nn/ops.h"

namespace {

using namespace reveille::nn;
using Work = std::function<void()>;

constexpr std::int64_t kWidth = 576, kHeads = 9, kKvHeads = 3, kDim = 64, kInner = 1536, kVocab = 49152;
constexpr std::int64_t kSequences = 16, kLength = 150, kTokens = kSequences * kLength;

at::Tensor half(at::IntArrayRef shape) { return at::randn(shape).to(at::kBFloat16); }
at::Tensor leaf(at::Tensor tensor) { return tensor.requires_grad_(true); }

struct Cost {
  double flops = 0, bytes = 0;
};

void add(const std::string& name, bool stock, const Work& work, const Cost& cost) {
  benchmark::RegisterBenchmark((name + (stock ? "/stock" : "/kernel")).c_str(),
                               [=](benchmark::State& state) {
                                 force_stock_operators(stock);
                                 work();
                                 for (auto _ : state) work();
                                 force_stock_operators(false);
                                 const auto rate = benchmark::Counter::kIsIterationInvariantRate;
                                 if (cost.flops > 0)
                                   state.counters["GFLOP/s"] = benchmark::Counter(cost.flops / 1e9, rate);
                                 if (cost.bytes > 0)
                                   state.counters["GB/s"] = benchmark::Counter(cost.bytes / 1e9, rate);
                               })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

void compare(const std::string& name, const Work& work, const Cost& cost) {
  add(name, false, work, cost);
  add(name, true, work, cost);
}

AttentionSpec spec() {
  at::Tensor angles = at::rand({1024, kDim / 2}).repeat({1, 2});
  return {kHeads, kKvHeads, kDim, 0.125, 0, angles.cos(), angles.sin()};
}

void rows() {
  at::Tensor x = leaf(at::randn({kTokens, kWidth})), delta = leaf(half({kTokens, kWidth}));
  at::Tensor weight = leaf(at::rand({kWidth})), d_sum = at::randn({kTokens, kWidth}), dy = half({kTokens, kWidth});
  compare("add_rms_norm_forward_backward",
          [=] {
            auto [sum, y] = add_rms_norm(x, delta, weight, 1e-5, false, at::kBFloat16);
            torch::autograd::grad({sum, y}, {x, delta, weight}, {d_sum, dy});
          },
          {0, kTokens * kWidth * (12.0 + 16)});
  at::Tensor gate_up = leaf(half({kTokens, 2 * kInner})), d_gated = half({kTokens, kInner});
  compare("gated_forward_backward",
          [=] { torch::autograd::grad({gated(gate_up, Activation::silu)}, {gate_up}, {d_gated}); },
          {0, kTokens * kInner * (6.0 + 10)});
  at::Tensor table = leaf(half({kVocab, kWidth})), ids = at::randint(kVocab, {kTokens}, at::kLong);
  compare("embed_forward_backward", [=] { torch::autograd::grad({embed(ids, table, 1)}, {table}, {d_sum}); },
          {0, kVocab * kWidth * 2.0});
}

void attentions() {
  at::Tensor qkv = leaf(half({kTokens, (kHeads + 2 * kKvHeads) * kDim})), d_out = half({kTokens, kWidth});
  const Packing packing = make_packing(std::vector<std::int64_t>(kSequences, kLength), {}, at::kCPU);
  const AttentionSpec attention_spec = spec();
  const double forward = 2.0 * kTokens * kLength * kWidth;  // two products, half of it unseen
  compare("attention_forward",
          [=] {
            at::NoGradGuard no_grad;
            attention(qkv, packing, attention_spec);
          },
          {forward, 0});
  compare("attention_forward_backward",
          [=] { torch::autograd::grad({attention(qkv, packing, attention_spec)}, {qkv}, {d_out}); },
          {3.5 * forward, 0});
  for (std::int64_t length : {100, 400}) {
    auto cache =
        std::make_shared<LayerCache>(LayerCache{half({64, kKvHeads, 512, kDim}), half({64, kKvHeads, 512, kDim})});
    at::Tensor row = half({64, (kHeads + 2 * kKvHeads) * kDim});
    const Packing step =
        make_packing(std::vector<std::int64_t>(64, 1), std::vector<std::int64_t>(64, length), at::kCPU);
    std::vector<std::int64_t> slots(64);
    for (std::int64_t i = 0; i < 64; ++i) slots[i] = i;
    compare("decode_64x" + std::to_string(length),
            [=] {
              at::NoGradGuard no_grad;
              attention_cached(row, step, attention_spec, *cache, slots);
            },
            {0, 64.0 * length * kKvHeads * kDim * 4});
  }
}

void products() {
  const std::pair<std::int64_t, std::int64_t> shapes[] = {
      {960, kWidth}, {kWidth, kWidth}, {2 * kInner, kWidth}, {kWidth, kInner}, {kVocab, kWidth}};
  for (auto [out, in] : shapes)
    for (std::int64_t rows : {16, 64, 512}) {
      if (out == kVocab && rows > 64) continue;
      at::Tensor x = half({rows, in});
      const PackedWeight packed = pack_weight(half({out, in}));
      compare("linear_packed_" + std::to_string(rows) + "x" + std::to_string(out) + "x" + std::to_string(in),
              [=] {
                at::NoGradGuard no_grad;
                linear_packed(x, packed, at::Tensor(), at::kBFloat16);
              },
              {2.0 * rows * out * in, 0});
    }
}

void heads() {
  const std::int64_t rows = 640;
  at::Tensor hidden = leaf(half({rows, kWidth})), weight = leaf(half({kVocab, kWidth}) * 0.05);
  at::Tensor targets = at::randint(kVocab, {rows}, at::kLong), ones = at::ones({rows});
  const double product = 2.0 * rows * kVocab * kWidth;
  weight = weight.detach().requires_grad_(true);
  compare("head_logprobs", [=] { head_logprobs(hidden, weight, targets); }, {product, 0});
  compare("head_loss_forward_backward",
          [=] {
            torch::autograd::grad({head_loss(hidden, weight, targets, ones).loss}, {hidden, weight});
          },
          {3 * product, 0});
  at::Tensor logits = at::randn({64, kVocab}) * 4, coins = at::rand({64}, at::kDouble);
  const Cost once{0, 64.0 * kVocab * 4};
  compare(
      "sample", [=] { sample(logits, 1, 0, 1, coins); }, once);
  compare(
      "sample_top_k", [=] { sample(logits, 0.7, 50, 1, coins); }, once);
  compare(
      "sample_top_p", [=] { sample(logits, 1, 0, 0.95, coins); }, once);
  compare(
      "sample_greedy", [=] { sample(logits, 0, 0, 1, coins); }, once);
}

void updates() {
  const std::int64_t count = 20'000'000;
  auto slots = std::make_shared<std::vector<AdamWSlot>>();
  slots->push_back({at::randn({count}), at::zeros({count}), at::zeros({count}), half({count}),
                    at::empty({count}, at::kBFloat16), 0.1});
  compare("adamw_20M", [=] { adamw_step(*slots, 1e-4, 0.9, 0.999, 1e-8, 3, 1); }, {0, count * 28.0});
  compare("global_norm_20M", [=] { benchmark::DoNotOptimize(global_norm({(*slots)[0].grad})); }, {0, count * 2.0});
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (std::getenv("OMP_NUM_THREADS") == nullptr) at::set_num_threads(2);
  benchmark::AddCustomContext("kernels", reveille::nn::kernel_name());
  benchmark::AddCustomContext("threads", std::to_string(at::get_num_threads()));
  rows();
  attentions();
  products();
  heads();
  updates();
  benchmark::RunSpecifiedBenchmarks();
}
