// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/dwconv_qs8/dwconv_qs8.h"

// In an unnamed namespace: see kernels/base/requantize.h.
namespace bitpose {
namespace {

/// Points args.taps at the pixels under the filter for output pixel x of the first row; three
/// pointers behind them, the partners of the last taps, repeat the last.
inline void fill_taps(const DwconvQs8Args& args, size_t x) {
  const int8_t** tap = args.taps;
  // Wraps below zero left of the picture, which makes it too large.
  const size_t first = x * args.stride_w - args.pad_left;
  const size_t extent = (args.kernel_w - 1) * args.dilation_w + 1;
  const bool inside = first < args.input_w && extent <= args.input_w - first;
  const size_t step = args.dilation_w * args.channels;
  for (size_t ky = 0; ky < args.kernel_h; ++ky) {
    const int8_t* row = args.rows[ky];
    if (inside) {
      row += first * args.channels;
      for (size_t kx = 0; kx < args.kernel_w; ++kx, row += step) *tap++ = row;
      continue;
    }
    for (size_t kx = 0; kx < args.kernel_w; ++kx) {
      const size_t ix = first + kx * args.dilation_w;
      *tap++ = ix < args.input_w ? row + ix * args.channels : args.padding;
    }
  }
  for (int i = 0; i < 3; ++i) tap[i] = tap[-1];
}

}  // namespace
}  // namespace bitpose
