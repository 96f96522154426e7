// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/quantize.h"
#include "kernels/resize_qs8/resize_qs8.h"

namespace bitpose {

void resize_qs8_1__scalar(const ResizeQs8Args& args) {
  int8_t* dst = args.dst;
  for (size_t i = 0; i < args.n; ++i) {
    const ResizeQs8Column& column = args.columns[i];
    const float top_left = column.left_weight * args.top_weight;
    const float top_right = column.right_weight * args.top_weight;
    const float bottom_left = column.left_weight * args.bottom_weight;
    const float bottom_right = column.right_weight * args.bottom_weight;
    for (size_t k = 0; k < args.kc; ++k) {
      const auto x = [&](const int8_t* row, size_t pixel) {
        return static_cast<float>(row[pixel + k] - args.zero_point) * args.x_scale;
      };
      const float y = top_left * x(args.top, column.left) + top_right * x(args.top, column.right) +
                      bottom_left * x(args.bottom, column.left) +
                      bottom_right * x(args.bottom, column.right);
      *dst++ = static_cast<int8_t>(quantize(y, args.y_scale, args.range));
    }
  }
}

}  // namespace bitpose
