#include "io/quant.h"

#include <ATen/Parallel.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "io/quant_blocks.h"

namespace reveille::io {
namespace {

// A million elements take about a millisecond, most of it page faults. Smaller shares gain
// nothing, and threads that wait for each other lose much when other programs hold the cores.
constexpr std::int64_t kGrainElements = 1 << 20;

// Calls body(first block, count) on all threads.
template <class Body>
void for_blocks(std::int64_t blocks, std::int64_t block_elements, const Body& body) {
  std::int64_t grain = std::max<std::int64_t>(1, kGrainElements / block_elements);
  at::parallel_for(0, blocks, grain, [&](std::int64_t begin, std::int64_t end) { body(begin, end - begin); });
}

// False when the block cannot be represented.
bool quantise_block_q8_0(const float* values, std::byte* out) {
  float largest = 0;
  bool finite = true;
  for (int j = 0; j < 32; ++j) {
    finite &= std::isfinite(values[j]);
    largest = std::max(largest, std::fabs(values[j]));
  }
  float d = largest / 127.0F;
  c10::Half scale(d);
  if (!finite || std::isinf(static_cast<float>(scale))) return false;
  // 1/d overflows for d below 2^-128; the scale is stored as zero long before.
  float inverse = d != 0 ? 1.0F / d : 0.0F;
  if (std::isinf(inverse)) inverse = 0;
  std::memcpy(out, &scale.x, 2);
  for (int j = 0; j < 32; ++j) {
    out[2 + j] = static_cast<std::byte>(static_cast<std::int8_t>(std::round(values[j] * inverse)));
  }
  return true;
}

}  // namespace

void dequantise(TensorFormat format, const std::byte* blocks, std::int64_t elements, float* out) {
  const FormatTraits& traits = format_traits(format);
  const auto* in = reinterpret_cast<const std::uint8_t*>(blocks);
  for_blocks(elements / traits.block_elements, traits.block_elements, [&](std::int64_t first, std::int64_t count) {
    unpack_blocks(format, in + first * traits.block_bytes, count, out + first * traits.block_elements);
  });
}

void dequantise(TensorFormat format, const std::byte* blocks, std::int64_t elements, c10::BFloat16* out) {
  const FormatTraits& traits = format_traits(format);
  const auto* in = reinterpret_cast<const std::uint8_t*>(blocks);
  static_assert(sizeof(c10::BFloat16) == sizeof(std::uint16_t));
  auto* bits = reinterpret_cast<std::uint16_t*>(out);
  for_blocks(elements / traits.block_elements, traits.block_elements, [&](std::int64_t first, std::int64_t count) {
    unpack_blocks_bf16(format, in + first * traits.block_bytes, count, bits + first * traits.block_elements);
  });
}

bool quantise_q8_0(const float* values, std::int64_t elements, std::byte* out) {
  std::atomic<bool> good{true};
  for_blocks(elements / 32, 32, [&](std::int64_t first, std::int64_t count) {
    for (std::int64_t i = first; i < first + count; ++i) {
      if (!quantise_block_q8_0(values + i * 32, out + i * 34)) good = false;
    }
  });
  return good;
}

}  // namespace reveille::io
