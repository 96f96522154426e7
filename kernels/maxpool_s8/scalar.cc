// SPDX-License-Identifier: Apache-2.0
#include "kernels/maxpool_s8/maxpool_s8.h"

namespace bitpose {

void maxpool_s8_1__scalar(const PoolWindow& window, const int8_t* src, int8_t* dst) {
  for (size_t i = 0; i < window.m; ++i) {
    for (size_t k = 0; k < window.kc; ++k) {
      const int8_t* first = src + i * window.src_step + k;
      int8_t acc = *first;
      for (size_t y = 0; y < window.kh; ++y) {
        for (size_t x = 0; x < window.kw; ++x) {
          const int8_t value = first[y * window.row_step + x * window.tap_step];
          acc = value > acc ? value : acc;
        }
      }
      dst[i * window.dst_step + k] = acc;
    }
  }
}

}  // namespace bitpose
