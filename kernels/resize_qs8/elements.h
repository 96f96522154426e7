// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/resize_qs8/resize_qs8.h"

// Pictures of few channels, several columns to a vector. In an unnamed namespace: see
// kernels/base/requantize.h.
namespace bitpose {
namespace {

/// What output elements are computed from, whatever columns they belong to.
struct Elements {
  static constexpr size_t kMost = 32;
  int8_t top_left[kMost] = {};
  int8_t top_right[kMost] = {};
  int8_t bottom_left[kMost] = {};
  int8_t bottom_right[kMost] = {};
  float left_weight[kMost] = {};
  float right_weight[kMost] = {};
};

/// Walks the elements of the output.
struct Walk {
  const ResizeQs8Column* column;
  size_t k = 0;

  /// The next `count` elements.
  void gather(const ResizeQs8Args& args, size_t count, Elements& elements) {
    // In copies, which stores of bytes cannot change.
    Walk walk = *this;
    const int8_t* top = args.top;
    const int8_t* bottom = args.bottom;
    const size_t kc = args.kc;
    for (size_t e = 0; e < count; ++e) {
      const ResizeQs8Column at = *walk.column;
      elements.top_left[e] = top[at.left + walk.k];
      elements.top_right[e] = top[at.right + walk.k];
      elements.bottom_left[e] = bottom[at.left + walk.k];
      elements.bottom_right[e] = bottom[at.right + walk.k];
      elements.left_weight[e] = at.left_weight;
      elements.right_weight[e] = at.right_weight;
      if (++walk.k == kc) walk = {walk.column + 1};
    }
    *this = walk;
  }
};

}  // namespace
}  // namespace bitpose
