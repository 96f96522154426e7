// SPDX-License-Identifier: Apache-2.0
#include <arm_neon.h>

#include "kernels/base/partial.h"
#include "kernels/quantize_f32_qs8/quantize_f32_qs8.h"

namespace bitpose {
namespace {

class Quantizer {
 public:
  Quantizer(float scale, const OutputRange& range)
      : scale_(vdupq_n_f32(scale)),
        low_(vdupq_n_f32(static_cast<float>(range.qmin - range.zero_point))),
        high_(vdupq_n_f32(static_cast<float>(range.qmax - range.zero_point))),
        zero_point_(vdupq_n_s16(static_cast<int16_t>(range.zero_point))) {}

  /// 8 codes. fmaxnm gives the number when one operand is a quiet NaN, and a quotient is never a
  /// signalling one.
  int8x8_t codes(float32x4_t x0, float32x4_t x1) const {
    const int16x8_t words = vmovn_high_s32(vmovn_s32(rounded(x0)), rounded(x1));
    return vmovn_s16(vaddq_s16(words, zero_point_));
  }

 private:
  int32x4_t rounded(float32x4_t x) const {
    return vcvtnq_s32_f32(vminq_f32(vmaxnmq_f32(vdivq_f32(x, scale_), low_), high_));
  }

  float32x4_t scale_, low_, high_;
  int16x8_t zero_point_;
};

}  // namespace

void quantize_f32_qs8_16__neon(size_t n, const float* src, float scale, const OutputRange& range,
                               int8_t* dst) {
  const Quantizer quantizer(scale, range);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const int8x8_t codes0 = quantizer.codes(vld1q_f32(src + i), vld1q_f32(src + i + 4));
    const int8x8_t codes1 = quantizer.codes(vld1q_f32(src + i + 8), vld1q_f32(src + i + 12));
    vst1q_s8(dst + i, vcombine_s8(codes0, codes1));
  }
  for (; i < n; i += 8) {
    const size_t count = n - i < 8 ? n - i : 8;
    float part[8] = {};
    __builtin_memcpy(part, src + i, count * sizeof(float));
    const int8x8_t codes = quantizer.codes(vld1q_f32(part), vld1q_f32(part + 4));
    store_up_to_8(dst + i, vget_lane_u64(vreinterpret_u64_s8(codes), 0), count);
  }
}

}  // namespace bitpose
