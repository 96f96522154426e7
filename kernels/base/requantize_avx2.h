// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <immintrin.h>

#include "kernels/base/requantize.h"

// For files compiled with AVX2 only: everything is in an unnamed namespace.
namespace bitpose {
namespace {

/// `requantize` of whole vectors with one multiplier.
///
/// Only the upper clamp is done in float. Below, conversion to int32 gives its smallest value and
/// narrowing saturates, which end at qmin like the float clamp; so this is exact for every
/// accumulator and every finite positive multiplier.
class RequantizeAvx2 {
 public:
  RequantizeAvx2(float multiplier, const OutputRange& range)
      : multiplier_(_mm256_set1_ps(multiplier)),
        high_(_mm256_set1_ps(static_cast<float>(range.qmax - range.zero_point))),
        zero_point_(_mm256_set1_epi16(static_cast<int16_t>(range.zero_point))),
        qmin_(_mm256_set1_epi8(static_cast<int8_t>(range.qmin))) {}

  /// 16 codes as int16, not yet clamped at qmin; in each 128-bit lane 4 of acc0, then 4 of acc1.
  __m256i words(__m256i acc0, __m256i acc1) const {
    return _mm256_adds_epi16(_mm256_packs_epi32(scaled(acc0), scaled(acc1)), zero_point_);
  }

  /// 32 codes from two results of `words`; in each 128-bit lane 8 of words0, then 8 of words1.
  __m256i codes(__m256i words0, __m256i words1) const {
    return _mm256_max_epi8(_mm256_packs_epi16(words0, words1), qmin_);
  }

 private:
  __m256i scaled(__m256i acc) const {
    return _mm256_cvtps_epi32(
        _mm256_min_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), multiplier_), high_));
  }

  __m256 multiplier_, high_;
  __m256i zero_point_, qmin_;
};

}  // namespace
}  // namespace bitpose
