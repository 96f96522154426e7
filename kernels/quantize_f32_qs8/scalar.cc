// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/quantize.h"
#include "kernels/quantize_f32_qs8/quantize_f32_qs8.h"

namespace bitpose {

void quantize_f32_qs8_1__scalar(size_t n, const float* src, float scale, const OutputRange& range,
                                int8_t* dst) {
  for (size_t i = 0; i < n; ++i) dst[i] = static_cast<int8_t>(quantize(src[i], scale, range));
}

}  // namespace bitpose
