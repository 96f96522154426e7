// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/base/isa.h"
#include "kernels/base/requantize.h"
#include "kernels/dwconv_qs8/dwconv_qs8.h"

/// Depthwise convolution of symmetric 16-bit activations and symmetric 8-bit weights, one row of
/// output pixels.
///
///   acc(x, c) = bias(c) + sum_{ky, kx} a(ky, x * stride_w + kx, c) * w(ky, kx, c)
///   dst(x, c) = requantize_rounded(float(acc(x, c)), multiplier(c), range)
///                                                               (kernels/base/requantize.h)
///
/// Both zero points are 0, so padding is a pixel of zeros. Filters are small: the packer has proved
/// 32768 * sum|w| + |bias| < 2^31 for every channel, and int32 holds acc.
///
/// Rows of input are lines of pointers to pixels, as dwconv_f32.h describes them. Packed channels
/// come in groups of NR,
///
///   int32 bias[NR] | float multiplier[NR] | for ky, for each KR of kx: int16 weight[NR][KR]
///
/// in lane order (kernels/base/lane_order.h); channels behind the last and taps behind kernel_w are
/// zeros.
namespace bitpose {

struct DwconvQs16Args {
  size_t output_w = 0;  ///< At least 1.
  size_t channels = 0;
  size_t kernel_h = 0, kernel_w = 0;
  size_t stride_w = 1;
  /// lines[ky][j], for ky < kernel_h and j < (output_w - 1) * stride_w + kernel_w.
  const int16_t* const* const* lines = nullptr;
  const void* packed = nullptr;  ///< Aligned to kAlignment.
  bool narrow = false;           ///< dst has int8 codes, else int16.
  void* dst = nullptr;
  size_t dst_stride = 0;  ///< Codes between pixels of dst.
  OutputRange range;
};

/// Reads up to kOverread bytes behind a pixel. May compute a pixel twice, so dst may not overlap
/// the input.
using DwconvQs16 = void(const DwconvQs16Args& args);

struct DwconvQs16Kernel {
  isa::Set isa;
  const char* name;
  DwconvQs16* run;
  uint32_t nr;     ///< Channels of a group.
  uint32_t kr;     ///< Taps that stand together.
  uint32_t lanes;  ///< 128-bit lanes of the accumulator vectors.
};

#define MICROKERNEL(isa_set, symbol, ...) DwconvQs16 symbol;
#include "kernels/dwconv_qs16/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const DwconvQs16Kernel> dwconv_qs16_kernels();

/// The best kernel that `available` can run.
const DwconvQs16Kernel& select_dwconv_qs16(isa::Set available);

/// Whether no sum of any channel leaves int32. Zero points of `layer` are 0.
bool prove_dwconv_qs16(const DwconvQs8Weights& layer);

/// Bytes of all packed channels, a multiple of kAlignment.
size_t packed_dwconv_bytes(const DwconvQs16Kernel& kernel, const DwconvQs8Weights& layer);

void pack_dwconv(const DwconvQs16Kernel& kernel, const DwconvQs8Weights& layer, void* packed);

}  // namespace bitpose
