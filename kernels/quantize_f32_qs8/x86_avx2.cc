// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/base/partial.h"
#include "kernels/quantize_f32_qs8/quantize_f32_qs8.h"

namespace bitpose {
namespace {

class Quantizer {
 public:
  Quantizer(float scale, const OutputRange& range)
      : scale_(_mm256_set1_ps(scale)),
        low_(_mm256_set1_ps(static_cast<float>(range.qmin - range.zero_point))),
        high_(_mm256_set1_ps(static_cast<float>(range.qmax - range.zero_point))),
        zero_point_(_mm256_set1_epi16(static_cast<int16_t>(range.zero_point))) {}

  /// 8 codes less the zero point. maxps gives its second operand when the first one is NaN.
  __m256i rounded(__m256 x) const {
    return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(_mm256_div_ps(x, scale_), low_), high_));
  }

  /// 32 codes; in each 128-bit lane 4 of each vector.
  __m256i codes(__m256i x0, __m256i x1, __m256i x2, __m256i x3) const {
    return _mm256_packs_epi16(_mm256_add_epi16(_mm256_packs_epi32(x0, x1), zero_point_),
                              _mm256_add_epi16(_mm256_packs_epi32(x2, x3), zero_point_));
  }

 private:
  __m256 scale_, low_, high_;
  __m256i zero_point_;
};

}  // namespace

void quantize_f32_qs8_32__avx2(size_t n, const float* src, float scale, const OutputRange& range,
                               int8_t* dst) {
  const Quantizer quantizer(scale, range);
  const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i codes = quantizer.codes(quantizer.rounded(_mm256_loadu_ps(src + i)),
                                          quantizer.rounded(_mm256_loadu_ps(src + i + 8)),
                                          quantizer.rounded(_mm256_loadu_ps(src + i + 16)),
                                          quantizer.rounded(_mm256_loadu_ps(src + i + 24)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + i),
                        _mm256_permutevar8x32_epi32(codes, in_order));
  }
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  for (; i < n; i += 8) {
    const size_t count = n - i < 8 ? n - i : 8;
    const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lanes);
    const __m256i x = quantizer.rounded(_mm256_maskload_ps(src + i, mask));
    const __m256i codes = _mm256_permutevar8x32_epi32(quantizer.codes(x, x, x, x), in_order);
    store_up_to_8(dst + i, static_cast<uint64_t>(_mm256_extract_epi64(codes, 0)), count);
  }
}

}  // namespace bitpose
