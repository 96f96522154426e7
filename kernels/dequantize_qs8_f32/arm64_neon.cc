// SPDX-License-Identifier: Apache-2.0
#include <arm_neon.h>

#include "kernels/dequantize_qs8_f32/dequantize_qs8_f32.h"

namespace bitpose {
namespace {

float32x4_t real(int16x4_t difference, float32x4_t scale) {
  return vmulq_f32(vcvtq_f32_s32(vmovl_s16(difference)), scale);
}

}  // namespace

void dequantize_qs8_f32_16__neon(size_t n, const int8_t* src, float scale, int32_t zero_point,
                                 float* dst) {
  const float32x4_t vscale = vdupq_n_f32(scale);
  const int8x8_t vzero_point = vdup_n_s8(static_cast<int8_t>(zero_point));
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const int8x16_t codes = vld1q_s8(src + i);
    const int16x8_t low = vsubl_s8(vget_low_s8(codes), vzero_point);
    const int16x8_t high = vsubl_s8(vget_high_s8(codes), vzero_point);
    vst1q_f32(dst + i, real(vget_low_s16(low), vscale));
    vst1q_f32(dst + i + 4, real(vget_high_s16(low), vscale));
    vst1q_f32(dst + i + 8, real(vget_low_s16(high), vscale));
    vst1q_f32(dst + i + 12, real(vget_high_s16(high), vscale));
  }
  for (; i < n; ++i) dst[i] = static_cast<float>(src[i] - zero_point) * scale;
}

}  // namespace bitpose
