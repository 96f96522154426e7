// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/base/isa.h"

namespace bitpose {

/// The values of the attribute `function`.
enum class BinaryFunction : uint32_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kMinimum,
  kMaximum,
  kPower,
  kRemainder,
  kModulus,
  kPRelu,
};
inline constexpr uint32_t kBinaryFunctions = 10;

/// A row of a binary operator. An operand that does not advance is one value for the whole row.
struct BinaryF32Row {
  const float* a;
  const float* b;
  bool a_advances, b_advances;
};

/// dst(i) = function(a(i), b(i)) for n floats:
///
///   + - * /        by IEEE 754
///   minimum        b < a ? b : a
///   maximum        b > a ? b : a, so a wins where one of them is NaN
///   power          a^b as C's pow defines it, in float64, see kernels/base/elementary.h
///   remainder      of a by b, with the sign of a, exact: C's fmod
///   modulus        of a by b, with the sign of b: the remainder, plus b where their signs differ
///   PRelu          a < 0 ? a * b : a
///
/// `dst` may be the buffer of an operand that advances, but may not overlap it otherwise. Nothing
/// is read or written outside of the rows.
using BinaryF32 = void(BinaryFunction function, size_t n, const BinaryF32Row& row, float* dst);

struct BinaryF32Kernel {
  isa::Set isa;
  const char* name;
  BinaryF32* run;
};

#define MICROKERNEL(isa_set, symbol) BinaryF32 symbol;
#include "kernels/binary_f32/kernels.inc"
#undef MICROKERNEL

/// Power, remainder and modulus, in one loop for all instruction sets: every kernel calls it for
/// them.
void rare_binary_f32(BinaryFunction function, size_t n, const BinaryF32Row& row, float* dst);

/// Every kernel of this build, best first.
std::span<const BinaryF32Kernel> binary_f32_kernels();

/// The best kernel that `available` can run.
const BinaryF32Kernel& select_binary_f32(isa::Set available);

}  // namespace bitpose
