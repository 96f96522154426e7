// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/partial.h"
#include "kernels/base/quantize_avx2.h"
#include "kernels/quantize_f32_qs8/quantize_f32_qs8.h"

namespace bitpose {

void quantize_f32_qs8_32__avx2(size_t n, const float* src, float scale, const OutputRange& range,
                               int8_t* dst) {
  const QuantizeAvx2 quantizer(scale, range);
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
    store_up_to_8(dst + i, static_cast<uint64_t>(_mm_cvtsi128_si64(quantizer.codes(x))), count);
  }
}

}  // namespace bitpose
