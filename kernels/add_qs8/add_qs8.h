// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/base/isa.h"
#include "kernels/base/requantize.h"

/// Sum of two signed 8-bit vectors of different scales.
///
///   acc(i) = a(i) * Ma + b(i) * Mb + bias
///   dst(i) = requantize(acc(i), multiplier, range)       for 0 <= i < n
///   (kernels/base/requantize.h)
///
/// acc is exact modulo 2^32. Ma : Mb is the ratio of the scales of a and b as a fraction of small
/// integers, bias = -(za * Ma + zb * Mb). A negative Mb subtracts.
namespace bitpose {

struct AddQs8Args {
  size_t n = 0;
  const int8_t* a = nullptr;
  const int8_t* b = nullptr;
  bool b_is_scalar = false;  ///< b has one element, which stands for all b(i).
  int8_t* dst = nullptr;
  int16_t a_multiplier = 0;  ///< Ma.
  int16_t b_multiplier = 0;  ///< Mb.
  int32_t bias = 0;
  float multiplier = 0;  ///< Finite and positive.
  OutputRange range;     ///< qmin <= qmax.
};

/// `dst` may be the buffer of an operand with n elements, but may not overlap one otherwise.
/// Nothing is read or written outside the vectors.
using AddQs8 = void(const AddQs8Args& args);

struct AddQs8Kernel {
  isa::Set isa;
  const char* name;
  AddQs8* run;
};

#define MICROKERNEL(isa_set, symbol) AddQs8 symbol;
#include "kernels/add_qs8/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const AddQs8Kernel> add_qs8_kernels();

/// The best kernel that `available` can run.
const AddQs8Kernel& select_add_qs8(isa::Set available);

}  // namespace bitpose
