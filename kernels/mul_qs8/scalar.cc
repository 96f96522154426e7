// SPDX-License-Identifier: Apache-2.0
#include "kernels/mul_qs8/mul_qs8.h"

namespace bitpose {

void mul_qs8_1__scalar(const MulQs8Args& args) {
  for (size_t i = 0; i < args.n; ++i) {
    const int32_t a = args.a[i] - args.a_zero_point;
    const int32_t b = args.b[args.b_is_scalar ? 0 : i] - args.b_zero_point;
    args.dst[i] = requantize(a * b, args.multiplier, args.range);
  }
}

}  // namespace bitpose
