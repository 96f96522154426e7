// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/quantize_f32_qs8/quantize_f32_qs8.h"

namespace bitpose {

void quantize_f32_qs8_1__scalar(size_t n, const float* src, float scale, const OutputRange& range,
                                int8_t* dst) {
  const auto low = static_cast<float>(range.qmin - range.zero_point);
  const auto high = static_cast<float>(range.qmax - range.zero_point);
  for (size_t i = 0; i < n; ++i) {
    float x = src[i] / scale;
    x = x > low ? x : low;
    x = x < high ? x : high;
    dst[i] = static_cast<int8_t>(static_cast<int32_t>(rintf(x)) + range.zero_point);
  }
}

}  // namespace bitpose
