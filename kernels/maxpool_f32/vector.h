// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/base/f32_vector.h"
#include "kernels/base/pool_blocks.h"
#include "kernels/maxpool_f32/maxpool_f32.h"

// In an unnamed namespace: see kernels/base/requantize.h.
namespace bitpose {
namespace {

/// A block (kernels/base/pool_blocks.h) of N vectors.
template <typename V, int N>
struct Maxima {
  static constexpr size_t kWidth = N * V::kLanes;
  V v[N];

  Maxima(NoParams, const float* src) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) v[i] = V::load(src + i * V::kLanes);
  }
  void take(const float* src) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) v[i] = max(V::load(src + i * V::kLanes), v[i]);
  }
  void store(NoParams, float* dst) const {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) v[i].store(dst + i * V::kLanes);
  }
};

}  // namespace
}  // namespace bitpose
