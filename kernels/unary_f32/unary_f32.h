// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>

#include "kernels/base/isa.h"

namespace bitpose {

enum class UnaryFunction : uint32_t {
#define UNARY_FUNCTION(name) name,
#include "kernels/unary_f32/functions.inc"
#undef UNARY_FUNCTION
};

/// "kAbs", ...
inline constexpr const char* kUnaryFunctionNames[] = {
#define UNARY_FUNCTION(name) #name,
#include "kernels/unary_f32/functions.inc"
#undef UNARY_FUNCTION
};
inline constexpr uint32_t kUnaryFunctions = std::size(kUnaryFunctionNames);

/// y(i) = function(x(i)) for n floats, with a = alpha and b = beta where a function has parameters:
///
///   Abs, Neg, Sqrt    |x|, -x, the root of IEEE 754
///   Reciprocal        1 / x
///   Sign              1 above 0, -1 below, else x
///   Ceil, Floor       the nearest integer not below, not above
///   Round             the nearest integer, the even one of two
///   Clip              a > x ? a : x, then b < that ? b : that, so NaN stays
///   LeakyRelu         x < 0 ? x * a : x
///   ThresholdedRelu   x > a ? x : 0
///   Shrink            x > a ? x - b : x < -a ? x + b : 0
///   HardSigmoid       Clip of fma(x, a, b) to [0, 1]
///   HardSwish         x * HardSigmoid with a = 1/6, b = 1/2
///   Softsign          x / (1 + |x|)
///   Elu               x < 0 ? a * expm1(x) : x
///   Celu              x < 0 ? a * expm1(x / a) : x
///   Selu              x < 0 ? (b * a) * expm1(x) : b * x
///   Exp, Log, Sigmoid, Tanh, Erf                           see kernels/base/math.h
///   Swish             x * Sigmoid(a * x)
///   Softplus          ln(1 + e^x) = max(x, 0) + log1p(exp(-|x|))
///   Mish              x * tanh(Softplus(x)); see vector.h
///   Gelu              x / 2 * (1 + Erf(x * sqrt(1/2)))
///   GeluTanh          x * Sigmoid(2 u) with u = sqrt(2/pi) (x + 0.044715 x^3)
///   Sin, Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Asinh, Acosh, Atanh
///                     in float64, see kernels/base/elementary.h, rounded to float32
///
/// Errors in units of the last place: the functions of math.h and Softplus below 2.6, products with
/// them below 4, those of float64 below 0.501. Gelu and HardSigmoid are good to 2^-23 of x and
/// of 1.
///
/// `src` and `dst` may be the same buffer, but may not overlap otherwise. Nothing is read or
/// written outside of n floats.
using UnaryF32 = void(UnaryFunction function, float alpha, float beta, size_t n, const float* src,
                      float* dst);

struct UnaryF32Kernel {
  isa::Set isa;
  const char* name;
  UnaryF32* run;
};

#define MICROKERNEL(isa_set, symbol) UnaryF32 symbol;
#include "kernels/unary_f32/kernels.inc"
#undef MICROKERNEL

/// The functions that are computed in float64: those that networks call rarely, in one loop for all
/// instruction sets. Every kernel calls it with functions that it does not have itself.
void rare_unary_f32(UnaryFunction function, size_t n, const float* src, float* dst);

/// Every kernel of this build, best first.
std::span<const UnaryF32Kernel> unary_f32_kernels();

/// The best kernel that `available` can run.
const UnaryF32Kernel& select_unary_f32(isa::Set available);

}  // namespace bitpose
