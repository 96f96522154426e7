// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arm_neon.h>

#include "kernels/base/requantize.h"

// For files compiled for AArch64 only: everything is in an unnamed namespace.
namespace bitpose {
namespace {

/// `requantize_rounded` of whole vectors, for codes of 8 or 16 bits.
class Requantize16Neon {
 public:
  explicit Requantize16Neon(const OutputRange& range)
      : low_(vdupq_n_f32(static_cast<float>(range.qmin - range.zero_point))),
        high_(vdupq_n_f32(static_cast<float>(range.qmax - range.zero_point))),
        zero_point_(vdupq_n_s32(range.zero_point)) {}

  /// 8 codes.
  int16x8_t codes(float32x4_t acc0, float32x4_t acc1, const float* multiplier) const {
    return vmovn_high_s32(vmovn_s32(code(acc0, multiplier)), code(acc1, multiplier + 4));
  }

 private:
  int32x4_t code(float32x4_t acc, const float* multiplier) const {
    const float32x4_t x = vmulq_f32(acc, vld1q_f32(multiplier));
    return vaddq_s32(vcvtnq_s32_f32(vminq_f32(vmaxq_f32(x, low_), high_)), zero_point_);
  }

  float32x4_t low_, high_;
  int32x4_t zero_point_;
};

/// Stores the first `count` of 8 codes at dst[at], where dst is of int8 if `narrow`, else of int16.
inline void store_codes16(int16x8_t codes, bool narrow, void* dst, size_t at, size_t count) {
  if (narrow) {
    const int8x8_t bytes = vmovn_s16(codes);
    auto* to = static_cast<int8_t*>(dst) + at;
    if (count >= 8) return vst1_s8(to, bytes);
    int8_t part[8];
    vst1_s8(part, bytes);
    __builtin_memcpy(to, part, count);
  } else {
    auto* to = static_cast<int16_t*>(dst) + at;
    if (count >= 8) return vst1q_s16(to, codes);
    int16_t part[8];
    vst1q_s16(part, codes);
    __builtin_memcpy(to, part, count * sizeof(int16_t));
  }
}

}  // namespace
}  // namespace bitpose
