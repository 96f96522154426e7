// SPDX-License-Identifier: Apache-2.0
#include "kernels/resize_qs8/resize_qs8.h"

namespace bitpose {

void resize_qs8_1__scalar(const ResizeQs8Args& args) {
  int8_t* dst = args.dst;
  for (size_t i = 0; i < args.n; ++i) {
    const ResizeQs8Column& column = args.columns[i];
    for (size_t k = 0; k < args.kc; ++k) {
      const auto horizontal = [&](const int8_t* row) {
        return (kResizeOne - column.weight) * (row[column.left + k] - args.zero_point) +
               column.weight * (row[column.right + k] - args.zero_point);
      };
      const int32_t acc = (kResizeOne - args.bottom_weight) * horizontal(args.top) +
                          args.bottom_weight * horizontal(args.bottom);
      *dst++ = requantize(acc, args.multiplier, args.range);
    }
  }
}

}  // namespace bitpose
