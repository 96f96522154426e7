// SPDX-License-Identifier: Apache-2.0
#include "kernels/igemm_qs16/igemm_qs16.h"

namespace bitpose {
namespace {

/// The specification. Every other kernel of the family gives the same bits.
template <size_t NR, size_t KR>
void igemm_qs16(const IgemmQs16Args& args) {
  const auto* bias = static_cast<const int32_t*>(args.panel);
  const auto* multiplier = reinterpret_cast<const float*>(bias + NR);
  const auto* weights = reinterpret_cast<const int16_t*>(multiplier + NR);
  const size_t tap_steps = (args.kc + KR - 1) / KR;
  for (size_t i = 0; i < args.m; ++i) {
    for (size_t j = 0; j < args.n; ++j) {
      int64_t acc = bias[j];
      for (size_t t = 0; t < args.ks; ++t) {
        const int16_t* a = args.indirection != nullptr ? args.indirection[i * args.ks + t]
                                                       : args.a + i * args.a_stride;
        for (size_t k = 0; k < args.kc; ++k) {
          const size_t step = t * tap_steps + k / KR;
          acc += a[k] * weights[(step * NR + j) * KR + k % KR];
        }
      }
      const int32_t code = requantize_rounded(static_cast<float>(acc), multiplier[j], args.range);
      const size_t at = i * args.dst_stride + j;
      if (args.narrow) {
        static_cast<int8_t*>(args.dst)[at] = static_cast<int8_t>(code);
      } else {
        static_cast<int16_t*>(args.dst)[at] = static_cast<int16_t>(code);
      }
    }
  }
}

}  // namespace

void igemm_qs16_1x8c1__scalar(const IgemmQs16Args& args) { igemm_qs16<8, 1>(args); }
void igemm_qs16_1x5c3__test(const IgemmQs16Args& args) { igemm_qs16<5, 3>(args); }

}  // namespace bitpose
