// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arm_neon.h>

#include "kernels/base/requantize.h"

// For files compiled for AArch64 only: everything is in an unnamed namespace.
namespace bitpose {
namespace {

/// `requantize` of whole vectors with one multiplier. Conversion and narrowing saturate, so
/// clamping at the end, in integers, is exact for every accumulator.
class RequantizeNeon {
 public:
  RequantizeNeon(float multiplier, const OutputRange& range)
      : multiplier_(vdupq_n_f32(multiplier)),
        zero_point_(vdupq_n_s16(static_cast<int16_t>(range.zero_point))),
        qmin_(vdupq_n_s8(static_cast<int8_t>(range.qmin))),
        qmax_(vdupq_n_s8(static_cast<int8_t>(range.qmax))) {}

  /// 8 codes as int16, not yet clamped.
  int16x8_t words(int32x4_t acc0, int32x4_t acc1) const {
    return vqaddq_s16(vqmovn_high_s32(vqmovn_s32(scaled(acc0)), scaled(acc1)), zero_point_);
  }

  /// 16 codes from two results of `words`.
  int8x16_t codes(int16x8_t words0, int16x8_t words1) const {
    return vminq_s8(vmaxq_s8(vqmovn_high_s16(vqmovn_s16(words0), words1), qmin_), qmax_);
  }

  /// 8 codes from one result of `words`.
  int8x8_t codes(int16x8_t words0) const {
    return vmin_s8(vmax_s8(vqmovn_s16(words0), vget_low_s8(qmin_)), vget_low_s8(qmax_));
  }

 private:
  int32x4_t scaled(int32x4_t acc) const {
    return vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(acc), multiplier_));
  }

  float32x4_t multiplier_;
  int16x8_t zero_point_;
  int8x16_t qmin_, qmax_;
};

}  // namespace
}  // namespace bitpose
