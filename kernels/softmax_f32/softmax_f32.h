// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "kernels/base/isa.h"

namespace bitpose {

/// Softmax over contiguous rows. For each row x of n elements,
///
///   m    = max of -inf and every x(i), where NaN never wins
///   e(i) = exp_f32(x(i) - m)                              (kernels/base/math.h)
///   s(l) = e(l) + e(l + 16) + e(l + 32) + ...             for the 16 lanes l, in this order
///   s(l) = s(l) + s(l + 8), then s(l) + s(l + 4), then s(l) + s(l + 2), then s(0) + s(1)
///   y(i) = e(i) / s(0)
///
/// A row that holds NaN or +inf, or only -inf, sums to NaN: every element of its output is the NaN
/// 0x7fc00000. `src` and `dst` may be the same buffer, but may not overlap otherwise. Nothing is
/// read or written outside the rows.
using SoftmaxF32 = void(size_t rows, size_t n, const float* src, float* dst);

struct SoftmaxF32Kernel {
  isa::Set isa;
  const char* name;
  SoftmaxF32* run;
};

#define MICROKERNEL(isa_set, symbol) SoftmaxF32 symbol;
#include "kernels/softmax_f32/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const SoftmaxF32Kernel> softmax_f32_kernels();

/// The best kernel that `available` can run.
const SoftmaxF32Kernel& select_softmax_f32(isa::Set available);

}  // namespace bitpose
