// SPDX-License-Identifier: Apache-2.0
#include "kernels/row_sum_s8/row_sum_s8.h"

namespace bitpose {

void row_sum_s8_1x1__scalar(const RowSumS8Args& args) {
  for (size_t i = 0; i < args.m; ++i) {
    uint32_t sum = 0;
    for (size_t t = 0; t < args.ks; ++t) {
      const int8_t* a = args.indirection != nullptr ? args.indirection[i * args.ks + t]
                                                    : args.a + i * args.a_stride;
      for (size_t k = 0; k < args.kc; ++k) sum += static_cast<uint32_t>(int32_t{a[k]});
    }
    args.dst[i] = static_cast<int32_t>(static_cast<uint32_t>(args.factor) * sum);
  }
}

}  // namespace bitpose
