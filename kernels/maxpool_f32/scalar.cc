// SPDX-License-Identifier: Apache-2.0
#include "kernels/maxpool_f32/maxpool_f32.h"

namespace bitpose {

void maxpool_f32_1__scalar(const PoolWindow& window, const float* src, float* dst) {
  for (size_t i = 0; i < window.m; ++i) {
    for (size_t k = 0; k < window.kc; ++k) {
      const float* first = src + i * window.src_step + k;
      float acc = *first;
      for (size_t y = 0; y < window.kh; ++y) {
        for (size_t x = 0; x < window.kw; ++x) {
          const float value = first[y * window.row_step + x * window.tap_step];
          acc = value > acc ? value : acc;
        }
      }
      dst[i * window.dst_step + k] = acc;
    }
  }
}

}  // namespace bitpose
