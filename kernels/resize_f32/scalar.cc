// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/resize_f32/resize_f32.h"

namespace bitpose {

void resize_f32_1__scalar(const ResizeF32Args& args) {
  float* dst = args.dst;
  for (size_t i = 0; i < args.n; ++i) {
    const ResizeF32Column& column = args.columns[i];
    for (size_t k = 0; k < args.kc; ++k) {
      const auto horizontal = [&](const float* row) {
        const float left = row[column.left + k];
        return fmaf(column.weight, row[column.right + k] - left, left);
      };
      const float top = horizontal(args.top);
      *dst++ = fmaf(args.bottom_weight, horizontal(args.bottom) - top, top);
    }
  }
}

}  // namespace bitpose
