// SPDX-License-Identifier: Apache-2.0
#include "kernels/add_qs8/add_qs8.h"

namespace bitpose {

void add_qs8_1__scalar(const AddQs8Args& args) {
  for (size_t i = 0; i < args.n; ++i) {
    const int32_t a = args.a[i];
    const int32_t b = args.b[args.b_is_scalar ? 0 : i];
    const auto acc = static_cast<uint32_t>(a * args.a_multiplier + b * args.b_multiplier) +
                     static_cast<uint32_t>(args.bias);
    args.dst[i] = requantize(static_cast<int32_t>(acc), args.multiplier, args.range);
  }
}

}  // namespace bitpose
