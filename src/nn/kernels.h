// The table of vectorised CPU kernels, one per instruction set. A kernel is one thread's share
// of an operator over raw pointers: it allocates nothing, throws nothing and calls no library,
// so that no function compiled for a wider instruction set can leak into the rest of the
// program. Threads, buffers and gradients are the business of ops_*.cc.
//
// Tensors are row-major and contiguous. float32 and bfloat16 inputs widen to float32; results
// round once, to the nearest even.
#pragma once

#include <cstdint>

namespace reveille::nn::kernels {

// Read-only and writable arrays of float32 or bfloat16.
struct In {
  const void* data = nullptr;
  bool half = false;  // bfloat16
};
struct Out {
  void* data = nullptr;
  bool half = false;
};

// sum = x + delta (where delta is given), y = sum * rstd * gain, rstd = 1 / sqrt(mean(sum^2) + eps).
struct NormForward {
  In x, delta;
  float* sum = nullptr;  // written where delta is given
  const float* gain = nullptr;
  Out y;
  float* rstd = nullptr;  // [rows]
  std::int64_t width = 0;
  float eps = 0;
};

// dx = d_sum + rstd * (gain dy - n mean(gain dy n)), n = x * rstd; d_gain += dy n.
struct NormBackward {
  In x;  // the sum that was normalised
  const float* rstd = nullptr;
  const float* gain = nullptr;
  In dy;
  const float* d_sum = nullptr;  // or null
  Out dx;
  Out d_delta;              // the same values in delta's type, or null
  float* d_gain = nullptr;  // [width], this thread's share, or null
  std::int64_t width = 0;
};

// y = x sigmoid(z) * up with z = x (SiLU) or 1.5958 (x + 0.044715 x^3) (GELU's tanh form).
struct Gated {
  In gate_up;  // [rows, 2 width]
  In dy;       // backward
  Out out;     // [rows, width] forward, [rows, 2 width] backward
  std::int64_t width = 0;
  bool gelu = false;
};

// out[row] = source[ids[row]] * scale.
struct Gather {
  In source;
  float* out = nullptr;
  const std::int64_t* ids = nullptr;
  std::int64_t width = 0;
  float scale = 1;
};

// Row ids[order[i]] of `out` is the sum of the rows order[i] of dy that share it, times scale.
// `order` is sorted by id; run r of equal ids is order[runs[r]] .. order[runs[r + 1]].
struct Scatter {
  const float* dy = nullptr;
  Out out;
  const std::int64_t* ids = nullptr;
  const std::int64_t* order = nullptr;
  const std::int64_t* runs = nullptr;
  float* row = nullptr;  // [width] scratch of this thread
  std::int64_t width = 0;
  float scale = 1;
};

struct AdamW {
  float *master = nullptr, *m = nullptr, *v = nullptr;
  In grad;
  Out weight;                                        // or null
  float grad_scale = 1, keep = 1;                    // keep = 1 - learning_rate * weight_decay
  float fresh1 = 0, beta2 = 0, fresh2 = 0, eps = 0;  // fresh = 1 - beta
  float step_size = 0;                               // learning_rate / (1 - beta1^step)
  float root2 = 1;                                   // sqrt(1 - beta2^step)
};

struct Attention {
  In qkv;                     // [tokens, (heads + 2 kv_heads) * head_dim]
  Out out;                    // [tokens, heads * head_dim]
  float* log_sums = nullptr;  // [tokens, heads]: of the scores of each query; or null
  In d_out;                   // backward
  Out d_qkv;
  std::int64_t heads = 0, kv_heads = 0, head_dim = 0, window = 0;
  float scale = 1;
  const float *cos = nullptr, *sin = nullptr;  // [positions, head_dim], or null
};

// One sequence: rows first .. first + rows of qkv, at positions start ...
struct Span {
  std::int64_t first = 0, rows = 0, start = 0;
};

// Keys and values of one slot and key/value head: [capacity, head_dim].
struct CacheRows {
  Out keys, values;
};

// Attention, in pieces that threads share out. Packed keys and values and scratch are bytes,
// aligned to 64; the *_bytes functions say how many for a span that ends with `keys` keys.
struct AttentionKernels {
  std::int64_t (*packed_bytes)(const Attention&, std::int64_t keys);
  std::int64_t (*scratch_bytes)(const Attention&, std::int64_t keys);
  std::int64_t (*backward_bytes)(const Attention&, std::int64_t keys);
  // Packs the keys and values of one key/value head; from a cache where one is given.
  void (*pack)(const Attention&, const Span&, std::int64_t kv_head, const CacheRows* cache, std::int64_t keys,
               void* packed, void* scratch);
  // The queries of one block (query_block() rows) of the heads that share a key/value head.
  void (*attend)(const Attention&, const Span&, std::int64_t kv_head, std::int64_t block, const void* packed,
                 void* scratch);
  // d_qkv of one sequence and key/value head (start 0).
  void (*backward)(const Attention&, const Span&, std::int64_t kv_head, void* scratch);
  // Keys (rotated) and values of a span to its slot.
  void (*remember)(const Attention&, const Span&, std::int64_t kv_head, const CacheRows& cache);
  // A span of one row against its slot, read in place.
  void (*decode)(const Attention&, const Span&, std::int64_t kv_head, const CacheRows& cache, void* scratch);
};
constexpr std::int64_t kQueryBlock = 32;  // rows

// Products with a weight [columns, inner] that is packed in panels of panel_width columns. x holds
// scalars of the kernels' kind: bfloat16 for half_panels of AVX512-BF16, else float32.
struct PanelProduct {
  const void* x = nullptr;  // [rows, inner]
  std::int64_t inner = 0, columns = 0;
  const void* packed = nullptr;  // of all panels
  In bias;                       // [columns], or null
  Out out;                       // [rows, columns]
};

// Logits of a chunk of rows, panel by panel, and what softmax makes of them.
struct Head {
  const void* x = nullptr;  // [rows, inner], scalars of the kernels' kind
  In weight;                // [vocab, inner]
  std::int64_t rows = 0, inner = 0, vocab = 0;
  const std::int64_t* targets = nullptr;
  float softcap = 0;
  float* panel_stats = nullptr;    // [rows, 3, panels]: max m, sum of exp(l - m), of (l - m) exp(l - m)
  float* target_logits = nullptr;  // [rows]
  Out logits;                      // [rows, vocab]: l - m of its panel, then the gradient; or null
  const float* row_weights = nullptr;
  float *logprobs = nullptr, *entropy = nullptr;  // [rows]
  bool* correct = nullptr;
};

struct PanelKernels {
  std::int64_t panel_width;  // columns
  bool half_scalars;         // of x and of the packed weight
  std::int64_t (*panel_bytes)(std::int64_t inner);
  std::int64_t (*scratch_bytes)(std::int64_t inner);
  void (*pack)(In weight, std::int64_t inner, std::int64_t columns, std::int64_t panel, void* packed, void* scratch);
  void (*multiply)(const PanelProduct&, std::int64_t panel, std::int64_t first_row, std::int64_t last_row,
                   void* scratch);
  void (*head_panel)(const Head&, std::int64_t panel, void* scratch);
  // Log-probabilities and entropy of rows; the gradient of logits in place where there are any.
  void (*head_rows)(const Head&, std::int64_t first_row, std::int64_t last_row);
};

// One row of logits, in blocks of kLogitBlock.
constexpr std::int64_t kLogitBlock = 128;
struct LogitRow {
  In logits;
  std::int64_t offset = 0, vocab = 0;  // values
  float max = 0;                       // of the row, for sums
  float sharpness = 1;                 // 1 / temperature
};

struct Table {
  void (*norm_forward)(const NormForward&, std::int64_t first, std::int64_t last);
  void (*norm_backward)(const NormBackward&, std::int64_t first, std::int64_t last);
  void (*gated_forward)(const Gated&, std::int64_t first, std::int64_t last);
  void (*gated_backward)(const Gated&, std::int64_t first, std::int64_t last);
  void (*gather)(const Gather&, std::int64_t first, std::int64_t last);
  void (*scatter)(const Scatter&, std::int64_t first_run, std::int64_t last_run);
  void (*adamw)(const AdamW&, std::int64_t first, std::int64_t last);
  double (*sum_squares)(In, std::int64_t first, std::int64_t last);
  // The maximum of each block; returns that of the row.
  float (*block_maxima)(const LogitRow&, float* maxima);
  // Sums of exp(l - max) and of exp((l - max) sharpness) of each block.
  void (*block_sums)(const LogitRow&, float* plain, float* sharp);
  // exp((l - max) sharpness) of one block; returns how many values it has.
  std::int64_t (*block_weights)(const LogitRow&, std::int64_t block, float* weights);
  AttentionKernels attention;       // of float32
  AttentionKernels half_attention;  // of bfloat16
  PanelKernels panels;              // of float32
  PanelKernels half_panels;         // of bfloat16
};

// The table of kernel_level(), which must not be `stock`.
const Table& table();

const Table& avx2_table();
const Table& avx512_table();
const AttentionKernels& bf16_attention();
const PanelKernels& bf16_panels();
// Of processors with matrix tiles (AMX). Whether this one has them and the system lets us use them, which it is asked
// once.
const PanelKernels& amx_panels();
bool may_use_tiles();

}  // namespace reveille::nn::kernels
