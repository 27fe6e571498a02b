// Kernels over rows: norms, gates, embedding. Included once by each kernels_*.cc.
#pragma once

#include "nn/kernels.h"
#include "nn/kernels_vec.h"

namespace reveille::nn::kernels {
namespace {

// Calls body(typed pointers) with the types that the arguments say.
template <class Body>
inline void with_type(In in, const Body& body) {
  if (in.half) {
    body(static_cast<const Half*>(in.data));
  } else {
    body(static_cast<const float*>(in.data));
  }
}
template <class Body>
inline void with_type(Out out, const Body& body) {
  if (out.half) {
    body(static_cast<Half*>(out.data));
  } else {
    body(static_cast<float*>(out.data));
  }
}

template <class X, class Y>
void norm_row(const NormForward& a, const X* x, Y* y, std::int64_t row, F squares) {
  const float rstd = 1.0F / __builtin_sqrtf(total(squares) / static_cast<float>(a.width) + a.eps);
  if (a.rstd != nullptr) a.rstd[row] = rstd;
  const F scale = splat(rstd);
  each_vector(a.width,
              [&](std::int64_t i, std::int64_t n) { store(y + i, load(x + i, n) * scale * load(a.gain + i, n), n); });
}

template <class X, class D, class Y>
void add_norm_rows(const NormForward& a, const X* x, const D* delta, Y* y, std::int64_t first, std::int64_t last) {
  for (std::int64_t row = first; row < last; ++row) {
    const std::int64_t at = row * a.width;
    F squares = zero();
    each_vector(a.width, [&](std::int64_t i, std::int64_t n) {
      const F sum = load(x + at + i, n) + load(delta + at + i, n);
      store(a.sum + at + i, sum, n);
      squares = fma(sum, sum, squares);
    });
    norm_row(a, a.sum + at, y + at, row, squares);
  }
}

template <class X, class Y>
void norm_rows(const NormForward& a, const X* x, Y* y, std::int64_t first, std::int64_t last) {
  for (std::int64_t row = first; row < last; ++row) {
    F squares = zero();
    each_vector(a.width, [&](std::int64_t i, std::int64_t n) {
      const F value = load(x + row * a.width + i, n);
      squares = fma(value, value, squares);
    });
    norm_row(a, x + row * a.width, y + row * a.width, row, squares);
  }
}

inline void norm_forward(const NormForward& a, std::int64_t first, std::int64_t last) {
  with_type(a.y, [&](auto* y) {
    with_type(a.x, [&](auto* x) {
      if (a.delta.data == nullptr) return norm_rows(a, x, y, first, last);
      with_type(a.delta, [&](auto* delta) { add_norm_rows(a, x, delta, y, first, last); });
    });
  });
}

template <class X, class Y, class DX>
void norm_backward_rows(const NormBackward& a, const X* x, const Y* dy, DX* dx, std::int64_t first, std::int64_t last) {
  for (std::int64_t row = first; row < last; ++row) {
    const std::int64_t at = row * a.width;
    const F rstd = splat(a.rstd[row]);
    F dots = zero();
    each_vector(a.width, [&](std::int64_t i, std::int64_t n) {
      const F normed = load(x + at + i, n) * rstd, grad = load(dy + at + i, n);
      const F product = grad * normed;
      if (a.d_gain != nullptr) store(a.d_gain + i, load(a.d_gain + i, n) + product, n);
      dots = fma(product, load(a.gain + i, n), dots);
    });
    const F mean = splat(total(dots) / static_cast<float>(a.width));
    each_vector(a.width, [&](std::int64_t i, std::int64_t n) {
      const F normed = load(x + at + i, n) * rstd;
      F grad = (load(dy + at + i, n) * load(a.gain + i, n) - mean * normed) * rstd;
      if (a.d_sum != nullptr) grad += load(a.d_sum + at + i, n);
      store(dx + at + i, grad, n);
      if (a.d_delta.data == nullptr) return;
      if (a.d_delta.half) {
        store(static_cast<Half*>(a.d_delta.data) + at + i, grad, n);
      } else {
        store(static_cast<float*>(a.d_delta.data) + at + i, grad, n);
      }
    });
  }
}

inline void norm_backward(const NormBackward& a, std::int64_t first, std::int64_t last) {
  with_type(a.x, [&](auto* x) {
    with_type(a.dy,
              [&](auto* dy) { with_type(a.dx, [&](auto* dx) { norm_backward_rows(a, x, dy, dx, first, last); }); });
  });
}

inline constexpr float kGelu = 1.5957691216057308F;  // 2 sqrt(2 / pi)
inline constexpr float kGeluCube = 0.044715F;

// z and dz/dx of y = x sigmoid(z).
template <bool gelu>
inline F gate_argument(F x) {
  if constexpr (!gelu) return x;
  return splat(kGelu) * x * fma(x * x, splat(kGeluCube), splat(1.0F));
}
template <bool gelu>
inline F gate_slope(F x) {
  if constexpr (!gelu) return splat(1.0F);
  return splat(kGelu) * fma(x * x, splat(3 * kGeluCube), splat(1.0F));
}

template <bool gelu, class T>
void gated_forward_rows(const Gated& a, const T* gate_up, T* out, std::int64_t first, std::int64_t last) {
  for (std::int64_t row = first; row < last; ++row) {
    const T* gate = gate_up + row * 2 * a.width;
    each_vector(a.width, [&](std::int64_t i, std::int64_t n) {
      const F x = load(gate + i, n);
      store(out + row * a.width + i, x * sigmoid(gate_argument<gelu>(x)) * load(gate + a.width + i, n), n);
    });
  }
}

template <bool gelu, class T>
void gated_backward_rows(const Gated& a, const T* gate_up, const T* dy, T* out, std::int64_t first, std::int64_t last) {
  for (std::int64_t row = first; row < last; ++row) {
    const T* gate = gate_up + row * 2 * a.width;
    T* d_gate = out + row * 2 * a.width;
    each_vector(a.width, [&](std::int64_t i, std::int64_t n) {
      const F x = load(gate + i, n), up = load(gate + a.width + i, n), grad = load(dy + row * a.width + i, n);
      const F s = sigmoid(gate_argument<gelu>(x));
      const F slope = s * fma(x * gate_slope<gelu>(x), splat(1.0F) - s, splat(1.0F));
      store(d_gate + i, grad * up * slope, n);
      store(d_gate + a.width + i, grad * x * s, n);
    });
  }
}

template <class T>
inline void gated_forward_typed(const Gated& a, std::int64_t first, std::int64_t last) {
  const T* gate_up = static_cast<const T*>(a.gate_up.data);
  T* out = static_cast<T*>(a.out.data);
  if (a.gelu) return gated_forward_rows<true>(a, gate_up, out, first, last);
  gated_forward_rows<false>(a, gate_up, out, first, last);
}

template <class T>
inline void gated_backward_typed(const Gated& a, std::int64_t first, std::int64_t last) {
  const T* gate_up = static_cast<const T*>(a.gate_up.data);
  const T* dy = static_cast<const T*>(a.dy.data);
  T* out = static_cast<T*>(a.out.data);
  if (a.gelu) return gated_backward_rows<true>(a, gate_up, dy, out, first, last);
  gated_backward_rows<false>(a, gate_up, dy, out, first, last);
}

inline void gated_forward(const Gated& a, std::int64_t first, std::int64_t last) {
  a.gate_up.half ? gated_forward_typed<Half>(a, first, last) : gated_forward_typed<float>(a, first, last);
}

inline void gated_backward(const Gated& a, std::int64_t first, std::int64_t last) {
  a.gate_up.half ? gated_backward_typed<Half>(a, first, last) : gated_backward_typed<float>(a, first, last);
}

inline void gather(const Gather& a, std::int64_t first, std::int64_t last) {
  const F scale = splat(a.scale);
  with_type(a.source, [&](auto* source) {
    for (std::int64_t row = first; row < last; ++row)
      each_vector(a.width, [&](std::int64_t i, std::int64_t n) {
        store(a.out + row * a.width + i, load(source + a.ids[row] * a.width + i, n) * scale, n);
      });
  });
}

inline void scatter(const Scatter& a, std::int64_t first_run, std::int64_t last_run) {
  const F scale = splat(a.scale);
  with_type(a.out, [&](auto* out) {
    for (std::int64_t run = first_run; run < last_run; ++run) {
      for (std::int64_t i = 0; i < a.width; ++i) a.row[i] = 0;
      for (std::int64_t k = a.runs[run]; k < a.runs[run + 1]; ++k)
        each_vector(a.width, [&](std::int64_t i, std::int64_t n) {
          store(a.row + i, load(a.row + i, n) + load(a.dy + a.order[k] * a.width + i, n), n);
        });
      auto* target = out + a.ids[a.order[a.runs[run]]] * a.width;
      each_vector(a.width, [&](std::int64_t i, std::int64_t n) { store(target + i, load(a.row + i, n) * scale, n); });
    }
  });
}

}  // namespace
}  // namespace reveille::nn::kernels
