// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/quantize_avx2.h"
#include "kernels/quantize_f32_qs16/quantize_f32_qs16.h"

namespace bitpose {

void quantize_f32_qs16_16__avx2(size_t n, const float* src, float scale, const OutputRange& range,
                                int16_t* dst) {
  const QuantizeAvx2 quantizer(scale, range);
  // Codes less the zero point need 17 bits, so it is added before they are narrowed.
  const __m256i zero_point = _mm256_set1_epi32(range.zero_point);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m256i low = _mm256_add_epi32(quantizer.rounded(_mm256_loadu_ps(src + i)), zero_point);
    const __m256i high =
        _mm256_add_epi32(quantizer.rounded(_mm256_loadu_ps(src + i + 8)), zero_point);
    // Packing interleaves 128-bit lanes.
    const __m256i codes = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + i), codes);
  }
  for (; i < n; ++i) dst[i] = static_cast<int16_t>(quantize(src[i], scale, range));
}

}  // namespace bitpose
