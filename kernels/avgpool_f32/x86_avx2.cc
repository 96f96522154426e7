// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/avgpool_f32/avgpool_f32.h"
#include "kernels/base/pool_blocks.h"

namespace bitpose {
namespace {

template <int N>
struct Floats8 {
  static constexpr size_t kWidth = 8 * N;
  __m256 v[N];

  Floats8(float, const float*) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) v[i] = _mm256_setzero_ps();
  }
  void take(const float* src) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) v[i] = _mm256_add_ps(v[i], _mm256_loadu_ps(src + 8 * i));
  }
  void store(float count, float* dst) const {
    const __m256 vcount = _mm256_set1_ps(count);
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) _mm256_storeu_ps(dst + 8 * i, _mm256_div_ps(v[i], vcount));
  }
};

struct Floats4 {
  static constexpr size_t kWidth = 4;
  __m128 v = _mm_setzero_ps();

  Floats4(float, const float*) {}
  void take(const float* src) { v = _mm_add_ps(v, _mm_loadu_ps(src)); }
  void store(float count, float* dst) const {
    _mm_storeu_ps(dst, _mm_div_ps(v, _mm_set1_ps(count)));
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

void avgpool_f32_32__avx2(const PoolWindow& window, const float* src, float count, float* dst) {
  pool_outputs<Floats8<4>, Floats8<1>, Floats4, Float>(window, count, src, dst);
}

}  // namespace bitpose
