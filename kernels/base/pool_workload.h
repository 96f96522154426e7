// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "kernels/base/pool_window.h"

namespace bitpose {

/// A row of outputs of a pool inside a picture, for benchmarks.
struct PoolShape {
  size_t outputs, channels, size, stride;

  size_t input_w() const { return (outputs - 1) * stride + size; }
  size_t src_elements() const { return size * input_w() * channels; }
  size_t dst_elements() const { return outputs * channels; }

  PoolWindow window() const {
    return {.m = outputs,
            .kc = channels,
            .kh = size,
            .kw = size,
            .row_step = input_w() * channels,
            .tap_step = channels,
            .src_step = stride * channels,
            .dst_step = channels};
  }
  std::string text() const {
    const std::string extent = std::to_string(size);
    return extent + "x" + extent + "/" + std::to_string(stride) + ", " + std::to_string(outputs) +
           "x" + std::to_string(channels);
  }
};

/// ResNet's first pool, one that halves a feature map.
inline constexpr PoolShape kMaxPoolShapes[] = {{56, 64, 3, 2}, {28, 128, 2, 2}};
/// The mean of MobileNet's last feature map, one that halves a feature map.
inline constexpr PoolShape kAveragePoolShapes[] = {{1, 1024, 7, 1}, {28, 128, 2, 2}};

}  // namespace bitpose
