// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bitpose {

/// A row of a resize to twice the size, for benchmarks.
struct ResizeShape {
  size_t columns, channels;  ///< Of the output.

  size_t row_elements() const { return columns / 2 * channels; }
  size_t dst_elements() const { return columns * channels; }

  /// Of an output column: the first elements of the two pixels it lies between.
  uint32_t left(size_t column) const {
    return static_cast<uint32_t>((column == 0 ? 0 : (column - 1) / 2) * channels);
  }
  uint32_t right(size_t column) const {
    const size_t last = columns / 2 - 1;
    const size_t pixel = (column + 1) / 2;
    return static_cast<uint32_t>((pixel < last ? pixel : last) * channels);
  }
  /// That of the right pixel.
  float weight(size_t column) const { return column % 2 == 0 ? 0.75f : 0.25f; }

  std::string text() const {
    return "twice, to " + std::to_string(columns) + "x" + std::to_string(channels);
  }
};

inline constexpr ResizeShape kResizeShapes[] = {{56, 64}, {104, 16}};

}  // namespace bitpose
