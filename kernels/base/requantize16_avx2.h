// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <immintrin.h>

#include "kernels/base/requantize.h"

// For files compiled with AVX2 only: everything is in an unnamed namespace.
namespace bitpose {
namespace {

/// `requantize_rounded` of whole vectors, for codes of 8 or 16 bits.
class Requantize16Avx2 {
 public:
  explicit Requantize16Avx2(const OutputRange& range)
      : low_(_mm256_set1_ps(static_cast<float>(range.qmin - range.zero_point))),
        high_(_mm256_set1_ps(static_cast<float>(range.qmax - range.zero_point))),
        zero_point_(_mm256_set1_epi32(range.zero_point)) {}

  __m256i codes(__m256 acc, const float* multiplier) const {
    const __m256 x = _mm256_mul_ps(acc, _mm256_loadu_ps(multiplier));
    return _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(x, low_), high_)),
                            zero_point_);
  }

 private:
  __m256 low_, high_;
  __m256i zero_point_;
};

/// Stores the first `count` of 16 codes at dst[at], where dst is of int8 if `narrow`, else of
/// int16.
inline void store_codes16(__m256i codes, bool narrow, void* dst, size_t at, size_t count) {
  if (narrow) {
    const __m128i bytes =
        _mm_packs_epi16(_mm256_castsi256_si128(codes), _mm256_extracti128_si256(codes, 1));
    auto* to = static_cast<int8_t*>(dst) + at;
    if (count >= 16) return _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    alignas(16) int8_t part[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(part), bytes);
    __builtin_memcpy(to, part, count);
  } else {
    auto* to = static_cast<int16_t*>(dst) + at;
    if (count >= 16) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), codes);
    alignas(32) int16_t part[16];
    _mm256_store_si256(reinterpret_cast<__m256i*>(part), codes);
    __builtin_memcpy(to, part, count * sizeof(int16_t));
  }
}

}  // namespace
}  // namespace bitpose
