// SPDX-License-Identifier: Apache-2.0
#include "kernels/lut_x8/lut_x8.h"

namespace bitpose {

void lut_x8_1__scalar(size_t n, const uint8_t* src, const uint8_t* table, uint8_t* dst) {
  for (size_t i = 0; i < n; ++i) dst[i] = table[src[i]];
}

}  // namespace bitpose
