// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "kernels/base/requantize.h"
#include "kernels/igemm_qs8/igemm_qs8.h"

/// What a convolution of 8-bit tensors makes of its sums: codes or real numbers.
namespace bitpose {

struct CodeOutput {
  using Element = int8_t;
  OutputRange range;

  Element of(int32_t sum, float multiplier) const { return requantize(sum, multiplier, range); }

  /// Lets `gemm` write to `dst`.
  void direct(IgemmQs8Args& gemm, Element* dst) const {
    gemm.dst = dst;
    gemm.range = range;
  }
};

struct RealOutput {
  using Element = float;
  float fmin, fmax;

  Element of(int32_t sum, float multiplier) const { return rescale(sum, multiplier, fmin, fmax); }

  void direct(IgemmQs8Args& gemm, Element* dst) const {
    gemm.real_dst = dst;
    gemm.fmin = fmin;
    gemm.fmax = fmax;
  }
};

}  // namespace bitpose
