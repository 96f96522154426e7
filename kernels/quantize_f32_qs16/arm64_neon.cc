// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/quantize_neon.h"
#include "kernels/quantize_f32_qs16/quantize_f32_qs16.h"

namespace bitpose {

void quantize_f32_qs16_8__neon(size_t n, const float* src, float scale, const OutputRange& range,
                               int16_t* dst) {
  const QuantizeNeon quantizer(scale, range);
  // Codes less the zero point need 17 bits, so it is added before they are narrowed.
  const int32x4_t zero_point = vdupq_n_s32(range.zero_point);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const int32x4_t low = vaddq_s32(quantizer.rounded(vld1q_f32(src + i)), zero_point);
    const int32x4_t high = vaddq_s32(quantizer.rounded(vld1q_f32(src + i + 4)), zero_point);
    vst1q_s16(dst + i, vmovn_high_s32(vmovn_s32(low), high));
  }
  for (; i < n; ++i) dst[i] = static_cast<int16_t>(quantize(src[i], scale, range));
}

}  // namespace bitpose
