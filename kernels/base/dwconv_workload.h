// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bitpose {

/// A row of outputs of a depthwise layer, for benchmarks.
struct DwconvShape {
  size_t output_w, channels, size, stride;

  uint64_t macs() const { return uint64_t{output_w} * channels * size * size; }  ///< Of a row.
  size_t input_w() const { return (output_w - 1) * stride + size; }

  std::string text() const {
    const std::string extent = std::to_string(size);
    return extent + "x" + extent + "/" + std::to_string(stride) + ", " + std::to_string(output_w) +
           "x" + std::to_string(channels);
  }
};

/// MobileNetV1 from its first to its last layers, and MobileNetV3's 5x5.
inline constexpr DwconvShape kDwconvShapes[] = {
    {112, 32, 3, 1}, {56, 64, 3, 2}, {14, 512, 3, 1}, {28, 120, 5, 1}};

}  // namespace bitpose
