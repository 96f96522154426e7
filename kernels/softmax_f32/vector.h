// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/base/math.h"
#include "kernels/softmax_f32/softmax_f32.h"

// The kernel over any vectors. In an unnamed namespace: see kernels/base/requantize.h.
namespace bitpose {
namespace {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// How many vectors hold the 16 lanes of the contract: a power of two.
template <typename V>
inline constexpr size_t kVectors = 16 / V::kLanes;

template <typename V>
float largest(size_t n, const float* x) {
  constexpr size_t kLanes = V::kLanes;
  V vm[kVectors<V>];
#pragma GCC unroll 4
  for (V& m : vm) m = V::splat(-kInfinity);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
#pragma GCC unroll 4
    for (size_t j = 0; j < kVectors<V>; ++j) vm[j] = max(V::load(x + i + j * kLanes), vm[j]);
  }
  for (; i < n; i += kLanes) {
    const size_t count = n - i < kLanes ? n - i : kLanes;
    const V vx = V::load_partial(x + i, count);
    vm[0] = max(select_first(count, vx, V::splat(-kInfinity)), vm[0]);
  }
#pragma GCC unroll 4
  for (size_t half = kVectors<V> / 2; half > 0; half /= 2) {
#pragma GCC unroll 4
    for (size_t j = 0; j < half; ++j) vm[j] = max(vm[j], vm[j + half]);
  }
  return reduce_max(vm[0]);
}

/// Writes exp_f32(x - m) and returns its sum.
template <typename V>
float exponentials(size_t n, const float* x, float m, float* y) {
  constexpr size_t kLanes = V::kLanes;
  const V vm = V::splat(m);
  V vsum[kVectors<V>];
#pragma GCC unroll 4
  for (V& sum : vsum) sum = V::splat(0.0f);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
#pragma GCC unroll 4
    for (size_t j = 0; j < kVectors<V>; ++j) {
      const V e = exp_f32(V::load(x + i + j * kLanes) - vm);
      e.store(y + i + j * kLanes);
      vsum[j] = vsum[j] + e;
    }
  }
#pragma GCC unroll 4
  for (size_t j = 0; j < kVectors<V>; ++j, i += kLanes) {
    if (i >= n) break;
    const size_t count = n - i < kLanes ? n - i : kLanes;
    const V e = exp_f32(V::load_partial(x + i, count) - vm);
    e.store_partial(y + i, count);
    // Adding +0 changes no lane: no sum is ever -0.
    vsum[j] = vsum[j] + select_first(count, e, V::splat(0.0f));
  }
#pragma GCC unroll 4
  for (size_t half = kVectors<V> / 2; half > 0; half /= 2) {
#pragma GCC unroll 4
    for (size_t j = 0; j < half; ++j) vsum[j] = vsum[j] + vsum[j + half];
  }
  return reduce_add(vsum[0]);
}

template <typename V>
void divide(size_t n, float divisor, float* y) {
  const V vdivisor = V::splat(divisor);
  size_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) (V::load(y + i) / vdivisor).store(y + i);
  for (; i < n; ++i) y[i] /= divisor;
}

template <typename V>
void softmax_f32(size_t rows, size_t n, const float* src, float* dst) {
  for (size_t row = 0; row < rows; ++row, src += n, dst += n) {
    divide<V>(n, exponentials<V>(n, src, largest<V>(n, src), dst), dst);
  }
}

}  // namespace
}  // namespace bitpose
