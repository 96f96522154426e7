// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/fields.h"
#include "engine/model/tensor.h"
#include "engine/ops/operator.h"

/// What scatter_elements and scatter_nd share: y is x with updates written into it or combined with
/// it, one after the other in the order of the indices, so that of several updates of an element
/// the last one counts.
namespace bitpose {

enum class ScatterReduction : uint32_t {
  kNone = 0,  ///< y = u
  kAdd = 1,   ///< y = y + u; integers wrap.
  kMul = 2,   ///< y = y * u; integers wrap.
  kMin = 3,   ///< y = u < y ? u : y
  kMax = 4,   ///< y = u > y ? u : y
};

inline constexpr double kLastScatterReduction = 4;

/// Combines `n` neighbouring elements with as many updates.
using ScatterRow = void(std::byte* dst, const std::byte* updates, size_t n);

/// The function for a dtype. A bool has kNone alone: null for others.
ScatterRow* scatter_row(DType dtype, ScatterReduction reduction);

/// Checks dtypes of x, indices, updates and y.
Status check_scatter(const CreateArgs& args, ScatterReduction reduction);

/// Copies x to y unless they are one buffer.
void copy_scattered(const RunArgs& args);

}  // namespace bitpose
