// SPDX-License-Identifier: Apache-2.0
#include <arm_neon.h>

#include "kernels/base/pool_blocks.h"
#include "kernels/maxpool_f32/maxpool_f32.h"

namespace bitpose {
namespace {

/// `x > acc ? x : acc`, which fmax is not for NaN and for zeros.
inline float32x4_t larger(float32x4_t x, float32x4_t acc) {
  return vbslq_f32(vcgtq_f32(x, acc), x, acc);
}

template <int N>
struct Floats4 {
  static constexpr size_t kWidth = 4 * N;
  float32x4_t v[N];

  Floats4(NoParams, const float* src) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) v[i] = vld1q_f32(src + 4 * i);
  }
  void take(const float* src) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) v[i] = larger(vld1q_f32(src + 4 * i), v[i]);
  }
  void store(NoParams, float* dst) const {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) vst1q_f32(dst + 4 * i, v[i]);
  }
};

struct Float {
  static constexpr size_t kWidth = 1;
  float v;

  Float(NoParams, const float* src) : v(*src) {}
  void take(const float* src) { v = *src > v ? *src : v; }
  void store(NoParams, float* dst) const { *dst = v; }
};

}  // namespace

void maxpool_f32_16__neon(const PoolWindow& window, const float* src, float* dst) {
  pool_outputs<Floats4<4>, Floats4<1>, Float>(window, NoParams{}, src, dst);
}

}  // namespace bitpose
