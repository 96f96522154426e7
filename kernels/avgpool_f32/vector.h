// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/avgpool_f32/avgpool_f32.h"
#include "kernels/base/f32_vector.h"
#include "kernels/base/pool_blocks.h"

// In an unnamed namespace: see kernels/base/requantize.h.
namespace bitpose {
namespace {

/// A block (kernels/base/pool_blocks.h) of N vectors.
template <typename V, int N>
struct Averages {
  static constexpr size_t kWidth = N * V::kLanes;
  V v[N];

  Averages(float, const float*) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) v[i] = V::splat(0.0f);
  }
  void take(const float* src) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) v[i] = v[i] + V::load(src + i * V::kLanes);
  }
  void store(float count, float* dst) const {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) (v[i] / V::splat(count)).store(dst + i * V::kLanes);
  }
};

}  // namespace
}  // namespace bitpose
