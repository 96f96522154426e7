// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/base/clamp.h"
#include "kernels/gemm_f32/gemm_f32.h"

namespace bitpose {
namespace {

/// The specification. Every other kernel of the family gives the same bits.
template <size_t NR>
void gemm_f32(const GemmF32Args& args) {
  for (size_t i = 0; i < args.m; ++i) {
    for (size_t j = 0; j < args.n; ++j) {
      const float* weight = args.panel + NR + j;
      float acc = args.panel[j];
      for (size_t t = 0; t < args.ks; ++t) {
        const float* a = args.indirection != nullptr ? args.indirection[i * args.ks + t]
                                                     : args.a + i * args.a_stride;
        for (size_t k = 0; k < args.kc; ++k, weight += NR) acc = fmaf(a[k], *weight, acc);
      }
      args.dst[i * args.dst_stride + j] = clamp(acc, args.fmin, args.fmax);
    }
  }
}

}  // namespace

void gemm_f32_1x8__scalar(const GemmF32Args& args) { gemm_f32<8>(args); }
void gemm_f32_1x5__test(const GemmF32Args& args) { gemm_f32<5>(args); }

}  // namespace bitpose
