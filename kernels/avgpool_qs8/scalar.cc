// SPDX-License-Identifier: Apache-2.0
#include "kernels/avgpool_qs8/avgpool_qs8.h"

namespace bitpose {

void avgpool_qs8_1__scalar(const AvgpoolQs8Args& args) {
  const PoolWindow& window = args.window;
  for (size_t i = 0; i < window.m; ++i) {
    for (size_t k = 0; k < window.kc; ++k) {
      const int8_t* first = args.src + i * window.src_step + k;
      uint32_t acc = 0;
      for (size_t y = 0; y < window.kh; ++y) {
        for (size_t x = 0; x < window.kw; ++x) {
          const int32_t value = first[y * window.row_step + x * window.tap_step];
          acc += static_cast<uint32_t>(value - args.zero_point);
        }
      }
      args.dst[i * window.dst_step + k] =
          requantize(static_cast<int32_t>(acc), args.multiplier, args.range);
    }
  }
}

}  // namespace bitpose
