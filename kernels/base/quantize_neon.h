// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arm_neon.h>

#include "kernels/base/quantize.h"

// For files compiled for AArch64 only: everything is in an unnamed namespace.
namespace bitpose {
namespace {

/// `quantize` of whole vectors with one scale.
class QuantizeNeon {
 public:
  QuantizeNeon(float scale, const OutputRange& range)
      : scale_(vdupq_n_f32(scale)),
        low_(vdupq_n_f32(static_cast<float>(range.qmin - range.zero_point))),
        high_(vdupq_n_f32(static_cast<float>(range.qmax - range.zero_point))),
        zero_point_(vdupq_n_s16(static_cast<int16_t>(range.zero_point))) {}

  /// 4 codes less the zero point. fmaxnm gives the number when one operand is a quiet NaN, and a
  /// quotient is never a signalling one.
  int32x4_t rounded(float32x4_t x) const {
    return vcvtnq_s32_f32(vminq_f32(vmaxnmq_f32(vdivq_f32(x, scale_), low_), high_));
  }

  /// 8 codes.
  int8x8_t codes(float32x4_t x0, float32x4_t x1) const {
    const int16x8_t words = vmovn_high_s32(vmovn_s32(rounded(x0)), rounded(x1));
    return vmovn_s16(vaddq_s16(words, zero_point_));
  }

 private:
  float32x4_t scale_, low_, high_;
  int16x8_t zero_point_;
};

}  // namespace
}  // namespace bitpose
