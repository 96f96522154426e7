// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "kernels/base/requantize.h"

/// What a convolution of 8-bit tensors makes of its sums: codes or real numbers.
namespace bitpose {

struct CodeOutput {
  using Element = int8_t;
  OutputRange range;

  Element of(int32_t sum, float multiplier) const { return requantize(sum, multiplier, range); }

  /// Lets a kernel of igemm_qs8 or dwconv_qs8 write to `dst`.
  template <typename KernelArgs>
  void direct(KernelArgs& kernel, Element* dst) const {  // NOLINT(readability-non-const-parameter)
    kernel.dst = dst;
    kernel.range = range;
  }
};

struct RealOutput {
  using Element = float;
  float fmin, fmax;

  Element of(int32_t sum, float multiplier) const { return rescale(sum, multiplier, fmin, fmax); }

  template <typename KernelArgs>
  void direct(KernelArgs& kernel, Element* dst) const {  // NOLINT(readability-non-const-parameter)
    kernel.real_dst = dst;
    kernel.fmin = fmin;
    kernel.fmax = fmax;
  }
};

}  // namespace bitpose
