// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace bitpose {

/// What a pooling kernel walks: `m` outputs of kc channels, each over a window of kh x kw taps.
/// All distances are in elements.
///
///   channel k of tap (y, x) of output i:  src[i * src_step + y * row_step + x * tap_step + k]
///   channel k of output i:                dst[i * dst_step + k]
///
/// Windows lie within the source: a window that is clipped at a picture's edge is a smaller
/// rectangle, for which the caller makes a call of its own. Taps are visited row by row. Nothing is
/// read or written outside the windows, and `dst` overlaps no source.
struct PoolWindow {
  size_t m = 0;
  size_t kc = 0;
  size_t kh = 1;  ///< At least 1.
  size_t kw = 1;  ///< At least 1.
  size_t row_step = 0;
  size_t tap_step = 0;
  size_t src_step = 0;
  size_t dst_step = 0;

  size_t taps() const { return kh * kw; }
};

}  // namespace bitpose
