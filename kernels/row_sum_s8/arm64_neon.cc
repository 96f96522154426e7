// SPDX-License-Identifier: Apache-2.0
#include <arm_neon.h>

#include "kernels/row_sum_s8/row_sum_s8.h"

namespace bitpose {

void row_sum_s8_1x16__neon(const RowSumS8Args& args) {
  for (size_t i = 0; i < args.m; ++i) {
    int32x4_t sums = vdupq_n_s32(0);
    uint32_t rest = 0;
    for (size_t t = 0; t < args.ks; ++t) {
      const int8_t* a = args.indirection != nullptr ? args.indirection[i * args.ks + t]
                                                    : args.a + i * args.a_stride;
      size_t k = 0;
      for (; k + 16 <= args.kc; k += 16) sums = vpadalq_s16(sums, vpaddlq_s8(vld1q_s8(a + k)));
      for (; k < args.kc; ++k) rest += static_cast<uint32_t>(int32_t{a[k]});
    }
    const uint32_t sum = static_cast<uint32_t>(vaddvq_s32(sums)) + rest;
    args.dst[i] = static_cast<int32_t>(static_cast<uint32_t>(args.factor) * sum);
  }
}

}  // namespace bitpose
