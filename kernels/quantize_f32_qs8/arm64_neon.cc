// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/partial.h"
#include "kernels/base/quantize_neon.h"
#include "kernels/quantize_f32_qs8/quantize_f32_qs8.h"

namespace bitpose {

void quantize_f32_qs8_16__neon(size_t n, const float* src, float scale, const OutputRange& range,
                               int8_t* dst) {
  const QuantizeNeon quantizer(scale, range);
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
