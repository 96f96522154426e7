// SPDX-License-Identifier: Apache-2.0
#include <arm_neon.h>

#include "kernels/lut_x8/lut_x8.h"

// The table fills v16..v31 as 4 parts of 64 entries. tbl gives 0 for an index beyond its part, tbx
// leaves the destination as it is, so src - 64 * part is right for every part.
namespace bitpose {
namespace {

uint8x16_t look_up(const uint8x16x4_t (&parts)[4], uint8x16_t index) {
  const uint8x16_t v64 = vdupq_n_u8(64);
  uint8x16_t out = vqtbl4q_u8(parts[0], index);
#pragma GCC unroll 3
  for (int p = 1; p < 4; ++p) {
    index = vsubq_u8(index, v64);
    out = vqtbx4q_u8(out, parts[p], index);
  }
  return out;
}

}  // namespace

void lut_x8_32__neon(size_t n, const uint8_t* src, const uint8_t* table, uint8_t* dst) {
  size_t i = 0;
  if (n >= 32) {
    const uint8x16x4_t parts[4] = {vld1q_u8_x4(table), vld1q_u8_x4(table + 64),
                                   vld1q_u8_x4(table + 128), vld1q_u8_x4(table + 192)};
    for (; i + 32 <= n; i += 32) {
      const uint8x16_t out0 = look_up(parts, vld1q_u8(src + i));
      const uint8x16_t out1 = look_up(parts, vld1q_u8(src + i + 16));
      vst1q_u8(dst + i, out0);
      vst1q_u8(dst + i + 16, out1);
    }
  }
  for (; i < n; ++i) dst[i] = table[src[i]];
}

}  // namespace bitpose
