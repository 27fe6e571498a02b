// Attention over packed sequences and over the cache. Threads take spans, key/value heads and
// blocks of queries from a common counter; every piece of work writes its own part of the result,
// so nothing depends on who took it.
#include <torch/csrc/autograd/custom_function.h>

#include "base/error.h"
#include "nn/ops.h"
#include "nn/ops_shared.h"
#include "nn/ops_stock.h"
#include "nn/ops_support.h"

namespace reveille::nn {
namespace {

using kernels::Attention;
using kernels::Span;

const kernels::AttentionKernels& kernels_of(const at::Tensor& qkv) {
  const kernels::Table& table = kernels::table();
  return qkv.scalar_type() == at::kBFloat16 ? table.half_attention : table.attention;
}

// The tables of the rotary embedding are held by the caller for as long as the arguments live.
Attention arguments(const AttentionSpec& spec) {
  Attention args;
  args.heads = spec.heads;
  args.kv_heads = spec.kv_heads;
  args.head_dim = spec.head_dim;
  args.window = spec.window;
  args.scale = static_cast<float>(spec.scale);
  if (spec.cos.defined()) {
    args.cos = spec.cos.const_data_ptr<float>();
    args.sin = spec.sin.const_data_ptr<float>();
  }
  return args;
}

std::vector<Span> spans_of(const Packing& packing) {
  std::vector<Span> spans;
  for (std::int64_t i = 0; i < packing.batch(); ++i)
    spans.push_back({packing.offsets[i], packing.offsets[i + 1] - packing.offsets[i], packing.starts[i]});
  return spans;
}

std::int64_t most_keys(const std::vector<Span>& spans) {
  std::int64_t most = 0;
  for (const Span& span : spans) most = std::max(most, span.start + span.rows);
  return most;
}

// One piece of work: the queries of a block, or all of a span (block -1).
struct Piece {
  std::size_t span;
  std::int64_t kv_head, block, cost;
};

void sort_by_cost(std::vector<Piece>& pieces) {
  std::stable_sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.cost > b.cost; });
}

// Packed keys and values of several spans, and the blocks of queries that read them.
struct Blocks {
  std::vector<Piece> packs, blocks;
  std::vector<std::int64_t> packed_at;  // [span], bytes; key/value heads follow each other
  std::int64_t packed_bytes = 0;

  void add(const Attention& args, const kernels::AttentionKernels& kernel, const Span& span, std::size_t index) {
    const std::int64_t keys = span.start + span.rows;
    packed_at.resize(index + 1);
    packed_at[index] = packed_bytes;
    packed_bytes += args.kv_heads * kernel.packed_bytes(args, keys);
    for (std::int64_t head = 0; head < args.kv_heads; ++head) {
      packs.push_back({index, head, -1, keys});
      for (std::int64_t block = 0; block * kernels::kQueryBlock < span.rows; ++block)
        blocks.push_back({index, head, block, span.start + block * kernels::kQueryBlock});
    }
  }
};

void run_blocks(const Attention& args, const kernels::AttentionKernels& kernel, const std::vector<Span>& spans,
                Blocks& work, const std::vector<kernels::CacheRows>& caches) {
  if (work.packs.empty()) return;
  sort_by_cost(work.packs);
  sort_by_cost(work.blocks);
  at::Tensor packed = at::empty({work.packed_bytes + 64}, at::kByte);
  std::uint8_t* base = aligned(packed);
  const std::int64_t scratch = kernel.scratch_bytes(args, most_keys(spans));
  auto place = [&](const Piece& piece) {
    const std::int64_t keys = spans[piece.span].start + spans[piece.span].rows;
    return base + work.packed_at[piece.span] + piece.kv_head * kernel.packed_bytes(args, keys);
  };
  over_tasks(static_cast<std::int64_t>(work.packs.size()), scratch, [&](std::int64_t task, void* mine) {
    const Piece& piece = work.packs[task];
    const auto* cache = caches.empty() ? nullptr : &caches[piece.span * args.kv_heads + piece.kv_head];
    kernel.pack(args, spans[piece.span], piece.kv_head, cache, piece.cost, place(piece), mine);
  });
  over_tasks(static_cast<std::int64_t>(work.blocks.size()), scratch, [&](std::int64_t task, void* mine) {
    const Piece& piece = work.blocks[task];
    kernel.attend(args, spans[piece.span], piece.kv_head, piece.block, place(piece), mine);
  });
}

struct Attended {
  at::Tensor out, log_sums;
};

Attended run_forward(const at::Tensor& qkv, const std::vector<Span>& spans, const AttentionSpec& spec,
                     bool keep_log_sums) {
  Attended result{at::empty({qkv.size(0), spec.heads * spec.head_dim}, qkv.options()), {}};
  if (keep_log_sums) result.log_sums = at::empty({qkv.size(0), spec.heads}, qkv.options().dtype(at::kFloat));
  const kernels::AttentionKernels& kernel = kernels_of(qkv);
  Attention args = arguments(spec);
  args.qkv = as_in(qkv);
  args.out = as_out(result.out);
  if (keep_log_sums) args.log_sums = result.log_sums.mutable_data_ptr<float>();
  Blocks work;
  for (std::size_t i = 0; i < spans.size(); ++i) work.add(args, kernel, spans[i], i);
  run_blocks(args, kernel, spans, work, {});
  return result;
}

at::Tensor run_backward(const at::Tensor& qkv, const at::Tensor& log_sums, const at::Tensor& d_out,
                        const std::vector<Span>& spans, const AttentionSpec& spec) {
  at::Tensor d_qkv = at::empty_like(qkv);
  const kernels::AttentionKernels& kernel = kernels_of(qkv);
  Attention args = arguments(spec);
  args.qkv = as_in(qkv);
  args.log_sums = log_sums.mutable_data_ptr<float>();
  args.d_out = as_in(d_out);
  args.d_qkv = as_out(d_qkv);
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < spans.size(); ++i)
    for (std::int64_t head = 0; head < spec.kv_heads; ++head) pieces.push_back({i, head, -1, spans[i].rows});
  sort_by_cost(pieces);
  over_tasks(static_cast<std::int64_t>(pieces.size()), kernel.backward_bytes(args, most_keys(spans)),
             [&](std::int64_t task, void* scratch) {
               kernel.backward(args, spans[pieces[task].span], pieces[task].kv_head, scratch);
             });
  return d_qkv;
}

struct AttentionFunction : torch::autograd::Function<AttentionFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& qkv,
                            const std::vector<Span>& spans, const AttentionSpec& spec) {
    Attended result = run_forward(qkv, spans, spec, true);
    context->save_for_backward({qkv, result.log_sums, spec.cos, spec.sin});
    std::vector<std::int64_t> numbers{spec.heads, spec.kv_heads, spec.head_dim, spec.window};
    for (const Span& span : spans) numbers.insert(numbers.end(), {span.first, span.rows});
    context->saved_data["numbers"] = numbers;
    context->saved_data["scale"] = spec.scale;
    return result.out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    auto saved = context->get_saved_variables();
    const std::vector<std::int64_t> numbers = context->saved_data["numbers"].toIntVector();
    AttentionSpec spec{numbers[0], numbers[1], numbers[2], context->saved_data["scale"].toDouble(),
                       numbers[3], saved[2],   saved[3]};
    std::vector<Span> spans;
    for (std::size_t i = 4; i + 1 < numbers.size(); i += 2) spans.push_back({numbers[i], numbers[i + 1], 0});
    return {run_backward(saved[0], saved[1], grads[0].to(saved[0].scalar_type()).contiguous(), spans, spec), {}, {}};
  }
};

// Tables must reach to the last position, or the kernel would read beyond them.
void check_tables(const AttentionSpec& spec, std::int64_t keys) {
  if (spec.cos.defined() && spec.cos.size(0) < keys)
    fail(ErrorKind::unsupported, cat("a sequence reaches position ", keys - 1, " but the rotary embedding has only ",
                                     spec.cos.size(0), " positions"));
}

bool kernel_can(const at::Tensor& qkv, const AttentionSpec& spec) {
  if (!kernels_take(KernelLevel::avx2, {qkv, spec.cos, spec.sin})) return false;
  const bool tables = !spec.cos.defined() ||
                      (spec.cos.scalar_type() == at::kFloat && spec.cos.is_contiguous() && spec.sin.is_contiguous());
  return tables && spec.head_dim % 2 == 0 && spec.heads % spec.kv_heads == 0;
}

kernels::CacheRows cache_rows(LayerCache& cache, std::int64_t slot, std::int64_t head) {
  const auto at_head = [&](at::Tensor& tensor) {
    kernels::Out out = as_out(tensor);
    const std::int64_t bytes = (slot * tensor.stride(0) + head * tensor.stride(1)) * tensor.element_size();
    out.data = static_cast<std::uint8_t*>(out.data) + bytes;
    return out;
  };
  return {at_head(cache.keys), at_head(cache.values)};
}

void check_cache(const LayerCache& cache, const Packing& packing, const std::vector<std::int64_t>& slots) {
  if (static_cast<std::int64_t>(slots.size()) != packing.batch())
    fail(ErrorKind::internal, cat("attention_cached: ", slots.size(), " slots for ", packing.batch(), " sequences"));
  for (std::int64_t i = 0; i < packing.batch(); ++i) {
    const std::int64_t end = packing.starts[i] + packing.offsets[i + 1] - packing.offsets[i];
    if (slots[i] < 0 || slots[i] >= cache.keys.size(0) || end > cache.keys.size(2))
      fail(ErrorKind::internal, cat("attention_cached: slot ", slots[i], " up to position ", end,
                                    " is outside a cache of ", cache.keys.size(0), " slots of ", cache.keys.size(2)));
  }
}

void run_cached(const at::Tensor& qkv, at::Tensor& out, const std::vector<Span>& spans, const AttentionSpec& spec,
                const std::vector<kernels::CacheRows>& caches) {
  const kernels::AttentionKernels& kernel = kernels_of(qkv);
  Attention args = arguments(spec);
  args.qkv = as_in(qkv);
  args.out = as_out(out);
  Blocks work;
  std::vector<Piece> steps;  // key/value heads of spans
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (spans[i].rows > 1) work.add(args, kernel, spans[i], i);
    for (std::int64_t head = 0; head < spec.kv_heads; ++head)
      steps.push_back({i, head, -1, spans[i].start + spans[i].rows});
  }
  sort_by_cost(steps);
  over_tasks(static_cast<std::int64_t>(steps.size()), kernel.scratch_bytes(args, most_keys(spans)),
             [&](std::int64_t task, void* scratch) {
               const Piece& step = steps[task];
               const Span& span = spans[step.span];
               const kernels::CacheRows& rows = caches[step.span * spec.kv_heads + step.kv_head];
               kernel.remember(args, span, step.kv_head, rows);
               if (span.rows == 1) kernel.decode(args, span, step.kv_head, rows, scratch);
             });
  run_blocks(args, kernel, spans, work, caches);
}

}  // namespace

at::Tensor attention(const at::Tensor& qkv, const Packing& packing, const AttentionSpec& spec) {
  if (packing.shared() > 0) return attention_shared(qkv, packing, spec);
  if (!kernel_can(qkv, spec)) return stock::attention(qkv, packing, spec);
  const std::vector<Span> spans = spans_of(packing);
  check_tables(spec, most_keys(spans));
  if (needs_grad({qkv})) return AttentionFunction::apply(qkv.contiguous(), spans, spec);
  return run_forward(qkv.contiguous(), spans, spec, false).out;
}

at::Tensor attention_cached(const at::Tensor& qkv, const Packing& packing, const AttentionSpec& spec, LayerCache& cache,
                            const std::vector<std::int64_t>& slots) {
  check_cache(cache, packing, slots);
  const bool plain = cache.keys.scalar_type() == qkv.scalar_type() && cache.values.scalar_type() == qkv.scalar_type() &&
                     cache.keys.select(0, 0).select(0, 0).is_contiguous() &&
                     cache.values.select(0, 0).select(0, 0).is_contiguous();
  if (!plain || !kernel_can(qkv, spec)) return stock::attention_cached(qkv, packing, spec, cache, slots);
  const std::vector<Span> spans = spans_of(packing);
  check_tables(spec, most_keys(spans));
  at::Tensor rows = qkv.contiguous(), out = at::empty({qkv.size(0), spec.heads * spec.head_dim}, qkv.options());
  std::vector<kernels::CacheRows> caches;
  for (std::int64_t slot : slots)
    for (std::int64_t head = 0; head < spec.kv_heads; ++head) caches.push_back(cache_rows(cache, slot, head));
  run_cached(rows, out, spans, spec, caches);
  return out;
}

}  // namespace reveille::nn
