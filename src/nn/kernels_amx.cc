// Panel products on matrix tiles (AMX): sixteen rows times sixteen columns times thirty-two values at once. The panels
// are those of AVX512-BF16, whose pairs lie as tiles want them.
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cpuid.h>
#include <cstdint>
#include <type_traits>

#include "nn/kernels.h"

// To the end of the file, for templates are instantiated there. No other library is included below.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC bug 105593, in its own intrinsics
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,amx-tile,amx-bf16")
#define REVEILLE_AVX512 1
#define REVEILLE_BF16 1
#include "nn/kernels_head.h"

namespace reveille::nn::kernels {
namespace {

constexpr int kTileRows = 16, kTileUnits = 16;  // a unit: a pair of bfloat16, or one float32

struct DotTiles : DotBf16 {
  static constexpr int kTall = 2 * kTileRows;
};

// What LDTILECFG reads.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1, start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

// Tiles 0 to 3: sums of [upper, lower] rows x [left, right] columns; 4, 5: rows of x; 6, 7: columns of the weight.
TileConfig config_for(std::int64_t upper, std::int64_t lower) {
  TileConfig config;
  const std::int64_t rows[8] = {upper, upper, lower, lower, upper, lower, kTileRows, kTileRows};
  for (int tile = 0; tile < 8; ++tile) {
    config.rows[tile] = static_cast<std::uint8_t>(rows[tile]);
    config.row_bytes[tile] = rows[tile] > 0 ? 4 * kTileUnits : 0;
  }
  return config;
}

// The configuration that a thread had before comes back at the end: oneDNN's kernels may count on theirs.
class Tiles {
 public:
  Tiles(std::int64_t upper, std::int64_t lower) {
    _tile_storeconfig(&before_);
    const TileConfig config = config_for(upper, lower);
    _tile_loadconfig(&config);
  }
  ~Tiles() {
    if (before_.palette != 0)
      _tile_loadconfig(&before_);
    else
      _tile_release();
  }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

 private:
  TileConfig before_;
};

// Two tiles of columns of up to two tiles of rows.
template <bool two>
void tile_block(const std::uint32_t* x, std::int64_t row_units, const std::uint32_t* panel, float* tile) {
  constexpr std::int64_t kPanelBytes = 4 * kPanel;
  const std::int64_t x_bytes = 4 * row_units;
  _tile_zero(0);
  _tile_zero(1);
  if constexpr (two) {
    _tile_zero(2);
    _tile_zero(3);
  }
  for (std::int64_t step = 0; step < row_units; step += kTileUnits) {
    _tile_loadd(4, x + step, x_bytes);
    _tile_loadd(6, panel + step * kPanel, kPanelBytes);
    _tile_loadd(7, panel + step * kPanel + kTileUnits, kPanelBytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if constexpr (two) {
      _tile_loadd(5, x + kTileRows * row_units + step, x_bytes);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, tile, kPanelBytes);
  _tile_stored(1, tile + kTileUnits, kPanelBytes);
  if constexpr (two) {
    _tile_stored(2, tile + kTileRows * kPanel, kPanelBytes);
    _tile_stored(3, tile + kTileRows * kPanel + kTileUnits, kPanelBytes);
  }
}

// Where few rows would leave tiles empty, or the inner dimension does not fill them: as AVX512-BF16.
void multiply_strips(const std::uint32_t* x, std::int64_t row_units, std::int64_t rows, const std::uint32_t* panel,
                     float* tile) {
  for (std::int64_t row = 0; row < rows; row += kTallStrip)
    tall_strip_of<DotBf16>(
        {x + row * row_units, row_units, 1, panel, kPanel, row_units, tile + row * kPanel, kPanel, false},
        rows - row < kTallStrip ? rows - row : kTallStrip);
}

template <>
inline void multiply_tile<DotTiles>(const void* x, std::int64_t inner, std::int64_t row, std::int64_t rows,
                                    const std::uint32_t* panel, float* tile) {
  constexpr std::int64_t kFewRows = 4;
  const std::int64_t row_units = inner / DotTiles::kDepth;
  const auto* from = static_cast<const std::uint32_t*>(x) + row * row_units;
  if (rows <= kFewRows || row_units % kTileUnits != 0) return multiply_strips(from, row_units, rows, panel, tile);
  const std::int64_t upper = rows < kTileRows ? rows : kTileRows;
  const Tiles tiles(upper, rows - upper);
  for (int column = 0; column < kPanel; column += 2 * kTileUnits) {
    if (rows > upper)
      tile_block<true>(from, row_units, panel + column, tile + column);
    else
      tile_block<false>(from, row_units, panel + column, tile + column);
  }
}

}  // namespace

const PanelKernels& amx_panels() {
  static const PanelKernels kernels = panel_kernels<DotTiles>();
  return kernels;
}

bool may_use_tiles() {
  constexpr unsigned kTileBits = (1U << 22) | (1U << 24);  // AMX-BF16, AMX-TILE
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kTileBits) != kTileBits) return false;
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

}  // namespace reveille::nn::kernels
