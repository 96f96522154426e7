// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/dequantize_qs16_f32/dequantize_qs16_f32.h"

namespace bitpose {
namespace {

/// 8 numbers from 8 codes.
__m256 real(__m128i codes, __m256 scale, __m256i zero_point) {
  const __m256i difference = _mm256_sub_epi32(_mm256_cvtepi16_epi32(codes), zero_point);
  return _mm256_mul_ps(_mm256_cvtepi32_ps(difference), scale);
}

}  // namespace

void dequantize_qs16_f32_16__avx2(size_t n, const int16_t* src, float scale, int32_t zero_point,
                                  float* dst) {
  const __m256 vscale = _mm256_set1_ps(scale);
  const __m256i vzero_point = _mm256_set1_epi32(zero_point);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m128i codes0 = _mm_loadu_si128(reinterpret_cast<const __m128i*>(src + i));
    const __m128i codes1 = _mm_loadu_si128(reinterpret_cast<const __m128i*>(src + i + 8));
    _mm256_storeu_ps(dst + i, real(codes0, vscale, vzero_point));
    _mm256_storeu_ps(dst + i + 8, real(codes1, vscale, vzero_point));
  }
  for (; i < n; ++i) dst[i] = static_cast<float>(src[i] - zero_point) * scale;
}

}  // namespace bitpose
