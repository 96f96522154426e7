// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/model/tensor.h"

namespace bitpose {

/// A tensor seen around one axis: `outer` blocks of `extent` rows of `inner` contiguous elements.
struct AxisView {
  size_t outer = 1;
  size_t extent = 1;
  size_t inner = 1;

  AxisView(const Shape& shape, uint32_t axis) : extent(shape[axis]) {
    for (uint32_t i = 0; i < axis; ++i) outer *= shape[i];
    for (uint32_t i = axis + 1; i < shape.rank; ++i) inner *= shape[i];
  }
};

}  // namespace bitpose
