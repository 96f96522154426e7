// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>

#include "engine/model/fields.h"
#include "engine/ops/operands.h"
#include "kernels/base/requantize.h"

/// The attributes of operators that requantize by one factor for the whole tensor.
namespace bitpose {

inline constexpr double kLeastFactor = std::numeric_limits<float>::denorm_min();
inline constexpr double kLargestFactor = std::numeric_limits<float>::max();

/// A field of factors: finite and positive.
#define BITPOSE_FACTOR_FIELD(Struct, member) \
  BITPOSE_FIELD(Struct, member, ::bitpose::kLeastFactor, ::bitpose::kLargestFactor)

/// A field of codes.
#define BITPOSE_CODE_FIELD(Struct, member) BITPOSE_FIELD(Struct, member, -128, 127)

/// A field of codes of up to 16 bits.
#define BITPOSE_CODE16_FIELD(Struct, member) BITPOSE_FIELD(Struct, member, -32768, 32767)

/// The range of `y`, whose quantization must have been checked. Adds to `checks` that it is not
/// empty.
inline OutputRange output_range(const TensorDesc& y, int32_t qmin, int32_t qmax,
                                OperandChecks& checks) {
  checks.require(qmin <= qmax, text("qmin is ", qmin, ", expected at most qmax, ", qmax));
  return {y.zero_point, qmin, qmax};
}

/// Checks qmin and qmax of `y` in operators whose results may be int8 or int16: codes of its dtype,
/// in order.
inline void check_code_range(const TensorDesc& y, int32_t qmin, int32_t qmax,
                             OperandChecks& checks) {
  const auto [low, high] = code_limits(y.dtype);
  checks.require(low <= qmin && qmin <= qmax && qmax <= high,
                 text("qmin and qmax are ", qmin, " and ", qmax, ", expected codes of ",
                      dtype_name(y.dtype), " in order"));
}

}  // namespace bitpose
