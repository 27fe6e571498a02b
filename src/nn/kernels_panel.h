// Products with a weight that is packed in panels of columns: many columns, few to some thousand
// rows, float32 results straight from registers. Included once by each kernels_*.cc.
#pragma once

#include "nn/kernels_attention_rows.h"

namespace reveille::nn::kernels {
namespace {

template <class P>
Shape<P> panel_shape(std::int64_t inner) {
  return Shape<P>(inner, kPanel);
}

template <class P>
std::int64_t panel_bytes(std::int64_t inner) {
  return 4 * panel_shape<P>(inner).across();
}

// A tile of results, rows that are being packed, and one packed panel.
template <class P>
struct PanelScratch {
  float* tile;
  typename P::Scalar* rows;
  typename P::Unit* panel;
  static std::int64_t bytes(std::int64_t inner) {
    const Shape<P> shape = panel_shape<P>(inner);
    return 4 * (P::kTall * kPanel + kLanes * shape.row_units() + shape.across());
  }
  PanelScratch(void* base, std::int64_t inner) {
    tile = static_cast<float*>(base);
    rows = reinterpret_cast<typename P::Scalar*>(tile + P::kTall * kPanel);
    panel = reinterpret_cast<typename P::Unit*>(rows + kLanes * panel_shape<P>(inner).row);
  }
};

template <class P>
std::int64_t panel_scratch_bytes(std::int64_t inner) {
  return PanelScratch<P>::bytes(inner);
}

inline std::int64_t columns_of(std::int64_t panel, std::int64_t columns) {
  const std::int64_t left = columns - panel * kPanel;
  return left < kPanel ? left : kPanel;
}

template <class P>
void pack_panel(In weight, std::int64_t inner, std::int64_t columns, std::int64_t panel, void* packed, void* scratch) {
  const Shape<P> shape = panel_shape<P>(inner);
  const HeadRows rows{weight, panel * kPanel * inner, inner};
  auto* out = reinterpret_cast<typename P::Unit*>(static_cast<char*>(packed) + panel * panel_bytes<P>(inner));
  pack_heads<P>(rows, shape, columns_of(panel, columns), PanelScratch<P>(scratch, inner).rows, out, nullptr);
}

// tile[row][column] for up to P::kTall rows of x.
template <class P>
inline void multiply_tile(const void* x, std::int64_t inner, std::int64_t row, std::int64_t rows,
                          const typename P::Unit* panel, float* tile) {
  const std::int64_t row_units = inner / P::kDepth;
  tall_strip_of<P>({static_cast<const typename P::Unit*>(x) + row * row_units, row_units, 1, panel, kPanel, row_units,
                    tile, kPanel, false},
                   rows);
}

template <class P>
void panel_multiply(const PanelProduct& a, std::int64_t panel, std::int64_t first_row, std::int64_t last_row,
                    void* scratch) {
  const auto* packed =
      reinterpret_cast<const typename P::Unit*>(static_cast<const char*>(a.packed) + panel * panel_bytes<P>(a.inner));
  float* tile = PanelScratch<P>(scratch, a.inner).tile;
  float bias[kPanel] = {};
  const std::int64_t columns = columns_of(panel, a.columns);
  if (a.bias.data != nullptr)
    with_type(a.bias, [&](auto* values) {
      each_vector(columns,
                  [&](std::int64_t i, std::int64_t n) { store(bias + i, load(values + panel * kPanel + i, n), n); });
    });
  with_type(a.out, [&](auto* out) {
    for (std::int64_t row = first_row; row < last_row; row += P::kTall) {
      const std::int64_t rows = last_row - row < P::kTall ? last_row - row : P::kTall;
      multiply_tile<P>(a.x, a.inner, row, rows, packed, tile);
      for (std::int64_t r = 0; r < rows; ++r)
        each_vector(columns, [&](std::int64_t i, std::int64_t n) {
          store(out + (row + r) * a.columns + panel * kPanel + i, load(tile + r * kPanel + i, n) + load(bias + i, n),
                n);
        });
    }
  });
}

}  // namespace
}  // namespace reveille::nn::kernels
