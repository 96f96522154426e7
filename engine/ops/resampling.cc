// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/resampling.h"

#include <algorithm>
#include <string>

namespace bitpose {
namespace {

float position(CoordinateMode mode, float scale, uint32_t inputs, uint32_t outputs, uint32_t i) {
  const auto index = static_cast<float>(i);
  switch (mode) {
    case CoordinateMode::kHalfPixel:
      return (index + 0.5f) / scale - 0.5f;
    case CoordinateMode::kAsymmetric:
      return index / scale;
    case CoordinateMode::kAlignCorners:
      break;
  }
  if (outputs == 1) return 0.0f;
  return index * static_cast<float>(inputs - 1) / static_cast<float>(outputs - 1);
}

}  // namespace

ResizePoint resize_point(CoordinateMode mode, float scale, uint32_t inputs, uint32_t outputs,
                         uint32_t i) {
  const auto last = static_cast<float>(inputs - 1);
  const float x = std::min(std::max(position(mode, scale, inputs, outputs, i), 0.0f), last);
  const auto low = static_cast<uint32_t>(x);
  return {low, std::min(low + 1, inputs - 1), x - static_cast<float>(low)};
}

Status check_resize(const ResizeAttributes& attributes, const Shape& x) {
  if (x.rank != 4 || std::min({x[1], x[2], x[3]}) == 0 || x[1] > kLargestResizeExtent ||
      x[2] > kLargestResizeExtent) {
    return invalid_argument("resize input " + x.text() +
                            " must be [N,H,W,C] with H and W of 1 to " +
                            std::to_string(kLargestResizeExtent));
  }
  // Each factor is below 2^32: the first product cannot overflow, the others are checked.
  const uint64_t pixels = uint64_t{attributes.output_h} * attributes.output_w;
  uint64_t elements = 0;
  if (__builtin_mul_overflow(pixels, uint64_t{x[0]} * x[3], &elements) || elements > kMaxElements) {
    return invalid_argument("resize of " + x.text() + " to " + std::to_string(attributes.output_h) +
                            " x " + std::to_string(attributes.output_w) + " has more than " +
                            std::to_string(kMaxElements) + " elements");
  }
  return {};
}

}  // namespace bitpose
