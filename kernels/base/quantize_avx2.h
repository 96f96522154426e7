// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <immintrin.h>

#include "kernels/base/quantize.h"

// For files compiled with AVX2 only: everything is in an unnamed namespace.
namespace bitpose {
namespace {

/// `quantize` of whole vectors with one scale.
class QuantizeAvx2 {
 public:
  QuantizeAvx2(float scale, const OutputRange& range)
      : scale_(_mm256_set1_ps(scale)),
        low_(_mm256_set1_ps(static_cast<float>(range.qmin - range.zero_point))),
        high_(_mm256_set1_ps(static_cast<float>(range.qmax - range.zero_point))),
        zero_point_(_mm256_set1_epi16(static_cast<int16_t>(range.zero_point))) {}

  /// 8 codes less the zero point. maxps gives its second operand when the first one is NaN.
  __m256i rounded(__m256 x) const {
    return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(_mm256_div_ps(x, scale_), low_), high_));
  }

  /// 32 codes of four results of `rounded`; in each 128-bit lane 4 of each.
  __m256i codes(__m256i x0, __m256i x1, __m256i x2, __m256i x3) const {
    return _mm256_packs_epi16(_mm256_add_epi16(_mm256_packs_epi32(x0, x1), zero_point_),
                              _mm256_add_epi16(_mm256_packs_epi32(x2, x3), zero_point_));
  }

  /// 8 codes of one result of `rounded`, in order in the lower half.
  __m128i codes(__m256i x) const {
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    const __m128i sums = _mm_add_epi16(words, _mm256_castsi256_si128(zero_point_));
    return _mm_packs_epi16(sums, sums);
  }

 private:
  __m256 scale_, low_, high_;
  __m256i zero_point_;
};

}  // namespace
}  // namespace bitpose
