// SPDX-License-Identifier: Apache-2.0
#include "kernels/dequantize_qs16_f32/dequantize_qs16_f32.h"

namespace bitpose {

void dequantize_qs16_f32_1__scalar(size_t n, const int16_t* src, float scale, int32_t zero_point,
                                   float* dst) {
  for (size_t i = 0; i < n; ++i) dst[i] = static_cast<float>(src[i] - zero_point) * scale;
}

}  // namespace bitpose
