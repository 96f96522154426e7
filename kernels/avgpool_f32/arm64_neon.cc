// SPDX-License-Identifier: Apache-2.0
#include <arm_neon.h>

#include "kernels/avgpool_f32/avgpool_f32.h"
#include "kernels/base/pool_blocks.h"

namespace bitpose {
namespace {

template <int N>
struct Floats4 {
  static constexpr size_t kWidth = 4 * N;
  float32x4_t v[N];

  Floats4(float, const float*) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) v[i] = vdupq_n_f32(0.0f);
  }
  void take(const float* src) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) v[i] = vaddq_f32(v[i], vld1q_f32(src + 4 * i));
  }
  void store(float count, float* dst) const {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) vst1q_f32(dst + 4 * i, vdivq_f32(v[i], vdupq_n_f32(count)));
  }
};

struct Float {
  static constexpr size_t kWidth = 1;
  float v = 0.0f;

  Float(float, const float*) {}
  void take(const float* src) { v += *src; }
  void store(float count, float* dst) const { *dst = v / count; }
};

}  // namespace

void avgpool_f32_16__neon(const PoolWindow& window, const float* src, float count, float* dst) {
  pool_outputs<Floats4<4>, Floats4<1>, Float>(window, count, src, dst);
}

}  // namespace bitpose
