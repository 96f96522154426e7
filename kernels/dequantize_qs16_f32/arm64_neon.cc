// SPDX-License-Identifier: Apache-2.0
#include <arm_neon.h>

#include "kernels/dequantize_qs16_f32/dequantize_qs16_f32.h"

namespace bitpose {

void dequantize_qs16_f32_8__neon(size_t n, const int16_t* src, float scale, int32_t zero_point,
                                 float* dst) {
  const float32x4_t vscale = vdupq_n_f32(scale);
  const int16x4_t vzero_point = vdup_n_s16(static_cast<int16_t>(zero_point));
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const int16x8_t codes = vld1q_s16(src + i);
    const int32x4_t low = vsubl_s16(vget_low_s16(codes), vzero_point);
    const int32x4_t high = vsubl_s16(vget_high_s16(codes), vzero_point);
    vst1q_f32(dst + i, vmulq_f32(vcvtq_f32_s32(low), vscale));
    vst1q_f32(dst + i + 4, vmulq_f32(vcvtq_f32_s32(high), vscale));
  }
  for (; i < n; ++i) dst[i] = static_cast<float>(src[i] - zero_point) * scale;
}

}  // namespace bitpose
