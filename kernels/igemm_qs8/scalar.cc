// SPDX-License-Identifier: Apache-2.0
#include "kernels/igemm_qs8/igemm_qs8.h"

namespace bitpose {
namespace {

/// The specification. Every other kernel of the family gives the same bits.
template <size_t NR, size_t KR>
void igemm_qs8(const IgemmQs8Args& args) {
  const auto* bias = static_cast<const uint32_t*>(args.panel);
  const auto* multiplier = reinterpret_cast<const float*>(bias + NR);
  const auto* weights = reinterpret_cast<const int8_t*>(multiplier + NR);
  const size_t tap_blocks = (args.kc + KR - 1) / KR;
  for (size_t i = 0; i < args.m; ++i) {
    for (size_t j = 0; j < args.n; ++j) {
      uint32_t acc = bias[j];
      if (args.row_bias != nullptr) acc += static_cast<uint32_t>(args.row_bias[i]);
      for (size_t t = 0; t < args.ks; ++t) {
        const int8_t* a = args.indirection != nullptr ? args.indirection[i * args.ks + t]
                                                      : args.a + i * args.a_stride;
        for (size_t k = 0; k < args.kc; ++k) {
          const size_t block = t * tap_blocks + k / KR;
          const int32_t product = a[k] * weights[(block * NR + j) * KR + k % KR];
          acc += static_cast<uint32_t>(product);
        }
      }
      const auto sum = static_cast<int32_t>(acc);
      const size_t index = i * args.dst_stride + j;
      if (args.real_dst != nullptr) {
        args.real_dst[index] = rescale(sum, multiplier[j], args.fmin, args.fmax);
      } else {
        args.dst[index] = requantize(sum, multiplier[j], args.range);
      }
    }
  }
}

}  // namespace

void igemm_qs8_1x8c1__scalar(const IgemmQs8Args& args) { igemm_qs8<8, 1>(args); }
void igemm_qs8_1x5c3__test(const IgemmQs8Args& args) { igemm_qs8<5, 3>(args); }

}  // namespace bitpose
