// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/base/isa.h"
#include "kernels/base/requantize.h"

/// Elementwise product of two signed 8-bit vectors.
///
///   acc(i) = (a(i) - za) * (b(i) - zb)
///   dst(i) = requantize(acc(i), multiplier, range)       for 0 <= i < n
///   (kernels/base/requantize.h)
namespace bitpose {

struct MulQs8Args {
  size_t n = 0;
  const int8_t* a = nullptr;
  const int8_t* b = nullptr;
  bool b_is_scalar = false;  ///< b has one element, which stands for all b(i).
  int8_t* dst = nullptr;
  int32_t a_zero_point = 0;  ///< za and zb, in [-128, 127].
  int32_t b_zero_point = 0;
  float multiplier = 0;  ///< Finite and positive.
  OutputRange range;     ///< qmin <= qmax.
};

/// `dst` may be the buffer of an operand with n elements, but may not overlap one otherwise.
/// Nothing is read or written outside the vectors.
using MulQs8 = void(const MulQs8Args& args);

struct MulQs8Kernel {
  isa::Set isa;
  const char* name;
  MulQs8* run;
};

#define MICROKERNEL(isa_set, symbol) MulQs8 symbol;
#include "kernels/mul_qs8/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const MulQs8Kernel> mul_qs8_kernels();

/// The best kernel that `available` can run.
const MulQs8Kernel& select_mul_qs8(isa::Set available);

}  // namespace bitpose
