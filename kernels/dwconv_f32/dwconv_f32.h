// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "kernels/base/isa.h"

/// Depthwise convolution of floats, one row of output pixels.
///
///   acc(x, c) = bias(c); for ky < kernel_h, for kx < kernel_w, in this order:
///               acc = fma(a(ky, x * stride_w + kx, c), w(ky, kx, c), acc)
///   dst(x, c) = clamp(acc(x, c), fmin, fmax)     (kernels/base/clamp.h)
///
/// a(ky, j, .) is the pixel in padded column j of the input row under filter row ky. Every product
/// and sum rounds once (fmaf), so the bits are the same in every kernel, except for the payload of
/// a NaN. Padding is a pixel of zeros, which takes part in the arithmetic: a NaN or infinite weight
/// shows.
///
/// A row of input is a line of pointers to its pixels, padding included, so that kernels know no
/// edges. With one pixel of padding around a picture of pixels A B C / D E F, whose padding is o,
/// the first output row of a 3x3 filter has
///
///   lines[0] = o o o o o     lines[1] = o A B C o     lines[2] = o D E F o
///
/// and the next row needs one new line. A dilated filter sees lines of every dilation-th pixel.
/// Packed channels come in groups of NR,
///
///   float bias[NR] | for each tap (ky, kx): float weight[NR]
///
/// with zeros for the channels behind the last.
namespace bitpose {

/// Canonical operands of a layer.
struct DwconvF32Weights {
  size_t channels = 0;
  size_t taps = 0;                 ///< kernel_h * kernel_w.
  const float* weights = nullptr;  ///< [taps][channels].
  const float* bias = nullptr;     ///< [channels].
};

struct DwconvF32Args {
  size_t output_w = 0;  ///< At least 1.
  size_t channels = 0;
  size_t kernel_h = 0, kernel_w = 0;
  size_t stride_w = 1;
  /// lines[ky][j], for ky < kernel_h and j < (output_w - 1) * stride_w + kernel_w.
  const float* const* const* lines = nullptr;
  const float* packed = nullptr;  ///< Aligned to kAlignment.
  float* dst = nullptr;           ///< Pixel x starts at dst + x * dst_stride.
  size_t dst_stride = 0;          ///< In floats.
  float fmin = -std::numeric_limits<float>::infinity();
  float fmax = std::numeric_limits<float>::infinity();
};

/// Reads up to kOverread bytes behind a pixel. May compute a pixel twice, so dst may not overlap
/// the input.
using DwconvF32 = void(const DwconvF32Args& args);

struct DwconvF32Kernel {
  isa::Set isa;
  const char* name;
  DwconvF32* run;
  uint32_t nr;  ///< Channels of a packed group.
};

#define MICROKERNEL(isa_set, symbol, ...) DwconvF32 symbol;
#include "kernels/dwconv_f32/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const DwconvF32Kernel> dwconv_f32_kernels();

/// The best kernel that `available` can run.
const DwconvF32Kernel& select_dwconv_f32(isa::Set available);

/// Bytes of all packed channels, a multiple of kAlignment.
size_t packed_dwconv_bytes(const DwconvF32Kernel& kernel, const DwconvF32Weights& layer);

void pack_dwconv(const DwconvF32Kernel& kernel, const DwconvF32Weights& layer, float* packed);

}  // namespace bitpose
