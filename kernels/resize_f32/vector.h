// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/base/f32_vector.h"
#include "kernels/resize_f32/resize_f32.h"

// The kernel over vectors of channels. In an unnamed namespace: see kernels/base/requantize.h.
namespace bitpose {
namespace {

/// fma(weight, far - near, near).
template <typename V>
inline V between(V near, V far, V weight) {
  return fma(weight, far - near, near);
}

/// A pair of columns around an output.
template <typename V>
struct Pair {
  const float* left;
  const float* right;
  V weight;

  V at(size_t c) const { return between(V::load(left + c), V::load(right + c), weight); }
};

/// Needs kc >= V::kLanes. Four vectors at a time, then single ones, the last of which reaches back
/// over channels that are done already.
template <typename V>
void resize_f32(const ResizeF32Args& args) {
  constexpr size_t kLanes = V::kLanes;
  const size_t kc = args.kc;
  const V wy = V::splat(args.bottom_weight);
  float* dst = args.dst;
  for (size_t i = 0; i < args.n; ++i, dst += kc) {
    const ResizeF32Column& column = args.columns[i];
    const V wx = V::splat(column.weight);
    const Pair<V> top{args.top + column.left, args.top + column.right, wx};
    const Pair<V> bottom{args.bottom + column.left, args.bottom + column.right, wx};
    size_t k = 0;
    for (; k + 4 * kLanes <= kc; k += 4 * kLanes) {
      // All before the first store, which could change what later loads read for all the compiler
      // knows: in-order cores need the four interleaved.
      V out[4];
#pragma GCC unroll 4
      for (size_t v = 0; v < 4; ++v) {
        const size_t c = k + v * kLanes;
        out[v] = between(top.at(c), bottom.at(c), wy);
      }
#pragma GCC unroll 4
      for (size_t v = 0; v < 4; ++v) out[v].store(dst + k + v * kLanes);
    }
    for (; k < kc; k += kLanes) {
      const size_t c = k < kc - kLanes ? k : kc - kLanes;
      between(top.at(c), bottom.at(c), wy).store(dst + c);
    }
  }
}

}  // namespace
}  // namespace bitpose
