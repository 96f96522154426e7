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

/// The range of `y`, whose quantization must have been checked. Adds to `checks` that it is not
/// empty.
inline OutputRange output_range(const TensorDesc& y, int32_t qmin, int32_t qmax,
                                OperandChecks& checks) {
  checks.require(qmin <= qmax, text("qmin is ", qmin, ", expected at most qmax, ", qmax));
  return {y.zero_point, qmin, qmax};
}

}  // namespace bitpose
