// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/base/pool_blocks.h"
#include "kernels/maxpool_f32/maxpool_f32.h"

// maxps(x, acc) is `x > acc ? x : acc` for all operands: the second one where either is NaN or both
// are zero.
namespace bitpose {
namespace {

template <int N>
struct Floats8 {
  static constexpr size_t kWidth = 8 * N;
  __m256 v[N];

  Floats8(NoParams, const float* src) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) v[i] = _mm256_loadu_ps(src + 8 * i);
  }
  void take(const float* src) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) v[i] = _mm256_max_ps(_mm256_loadu_ps(src + 8 * i), v[i]);
  }
  void store(NoParams, float* dst) const {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) _mm256_storeu_ps(dst + 8 * i, v[i]);
  }
};

struct Floats4 {
  static constexpr size_t kWidth = 4;
  __m128 v;

  Floats4(NoParams, const float* src) : v(_mm_loadu_ps(src)) {}
  void take(const float* src) { v = _mm_max_ps(_mm_loadu_ps(src), v); }
  void store(NoParams, float* dst) const { _mm_storeu_ps(dst, v); }
};

struct Float {
  static constexpr size_t kWidth = 1;
  float v;

  Float(NoParams, const float* src) : v(*src) {}
  void take(const float* src) { v = *src > v ? *src : v; }
  void store(NoParams, float* dst) const { *dst = v; }
};

}  // namespace

void maxpool_f32_32__avx2(const PoolWindow& window, const float* src, float* dst) {
  pool_outputs<Floats8<4>, Floats8<1>, Floats4, Float>(window, NoParams{}, src, dst);
}

}  // namespace bitpose
