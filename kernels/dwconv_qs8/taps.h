// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/dwconv_qs8/dwconv_qs8.h"

// In an unnamed namespace: see kernels/base/requantize.h.
namespace bitpose {
namespace {

/// Points args.taps at the pixels under the filter for output pixel x; one pointer behind them, the
/// partner of an odd tap, repeats the last.
inline void fill_taps(const DwconvQs8Args& args, size_t x) {
  const int8_t** tap = args.taps;
  for (size_t ky = 0; ky < args.kernel_h; ++ky) {
    for (size_t kx = 0; kx < args.kernel_w; ++kx) {
      // Wraps below zero left of the picture, which makes it too large.
      const size_t ix = x * args.stride_w + kx * args.dilation_w - args.pad_left;
      const bool inside = args.rows[ky] != nullptr && ix < args.input_w;
      *tap++ = inside ? args.rows[ky] + ix * args.channels : args.padding;
    }
  }
  *tap = tap[-1];
}

}  // namespace
}  // namespace bitpose
