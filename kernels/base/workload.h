// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace bitpose {

/// One kernel on one shape that real networks have, operands packed and in place: what a benchmark
/// runs. kernels/<family>/workloads.cc is the home of a family's shapes.
struct Workload {
  std::string shape;
  uint64_t macs = 0;   ///< Multiply-accumulates of a run; 0 where moving bytes is the work.
  uint64_t bytes = 0;  ///< Of the operands and the result, each counted once.
  /// Owns the operands. Empty where the kernel may not run the shape.
  std::function<void()> run;
};

/// The shapes of a family, for each of its kernels.
struct KernelWorkloads {
  size_t count;
  /// `kernel` counts as in kernels.inc, `shape` from 0 up to `count`.
  Workload (*make)(size_t kernel, size_t shape);
};

/// A picture in NHWC: "28x28x128".
struct PictureShape {
  size_t height, width, channels;

  size_t elements() const { return height * width * channels; }
  std::string text() const {
    return std::to_string(height) + "x" + std::to_string(width) + "x" + std::to_string(channels);
  }
};

/// What elementwise families run on: one that stays in a core's own cache, and one that does not.
inline constexpr PictureShape kElementwiseShapes[] = {{14, 14, 512}, {56, 56, 256}};

}  // namespace bitpose
