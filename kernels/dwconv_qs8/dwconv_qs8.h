// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "kernels/base/isa.h"
#include "kernels/base/requantize.h"

/// Depthwise convolution of signed 8-bit activations and weights, one or two rows of output pixels.
///
///   acc(r, x, c) = bias(c) + sum_{ky, kx} (a(r + ky, ix, c) - za) * (w(ky, kx, c) - zw)
///                  with ix = x * stride_w + kx * dilation_w - pad_left
///   dst(r, x, c) = requantize(acc(r, x, c), multiplier(c), range)    (kernels/base/requantize.h)
///
/// or, where real numbers are wanted instead of codes,
///
///   real_dst(r, x, c) = rescale(acc(r, x, c), multiplier(c), fmin, fmax)
///
/// a(i, ix, .) is pixel ix of input row i, and a pixel of za where ix is outside [0, input_w). Two
/// output rows share the input of a filter with a vertical stride of 1. acc is exact modulo 2^32.
/// The packer subtracts zw from the weights, which then need 9 bits, and folds -za * sum(w - zw)
/// into the bias. Packed channels come in groups of NR:
///
///   int32 bias[NR] | float multiplier[NR] | weights in the kernel's own order
///
/// each in lane order (kernels/base/lane_order.h); channels behind the last are zeros.
namespace bitpose {

/// Canonical operands of a layer.
struct DwconvQs8Weights {
  size_t channels = 0;
  size_t kernel_h = 0, kernel_w = 0;
  const int8_t* weights = nullptr;    ///< [kernel_h][kernel_w][channels], as stored.
  const int32_t* bias = nullptr;      ///< [channels].
  const float* multiplier = nullptr;  ///< [channels], finite and positive.
  int32_t input_zero_point = 0;       ///< za.
  int32_t weight_zero_point = 0;      ///< zw.
};

struct DwconvQs8Args {
  size_t channels = 0;
  size_t kernel_h = 0, kernel_w = 0;
  size_t stride_w = 1, dilation_w = 1, pad_left = 0;
  size_t input_w = 0;
  size_t output_w = 0;
  size_t output_rows = 1;  ///< 1, or 2 for kernels that take two.
  /// [output_rows + kernel_h - 1] input rows; outside the picture, a row of pixels of za.
  const int8_t* const* rows = nullptr;
  const int8_t* padding = nullptr;  ///< One pixel of za.
  const int8_t** taps = nullptr;    ///< Scratch: kernel_h * kernel_w + 3 pointers.
  const void* packed = nullptr;     ///< Aligned to kAlignment.
  int8_t* dst = nullptr;            ///< [output_w][channels] of the first row.
  float* real_dst = nullptr;  ///< Null for codes; `dst` and `range` do not count where it is set.
  size_t dst_row_stride = 0;  ///< Elements from there to the second row.
  OutputRange range;
  float fmin = -std::numeric_limits<float>::infinity();
  float fmax = std::numeric_limits<float>::infinity();
};

/// Reads up to kOverread bytes behind pixels and padding. What is written may not overlap the
/// input.
using DwconvQs8 = void(const DwconvQs8Args& args);

/// What the packer proves about a layer from its actual weights; never read from a file.
struct DwconvQs8Facts {
  size_t kernel_h = 0, kernel_w = 0;
  /// |float(acc) * multiplier| < 2^30 for every input: the epilogue may clamp in integers.
  bool bounded_products = false;
};

/// How a kernel wants the weights of NR channels. A weight that does not fit int8 is a sum: int8
/// weights stand [part] times, and their group starts with the number of parts (parts.h).
enum class DwconvPacking {
  kTaps8,       ///< int8 [tap][NR], no part -128: two products with int8 fit int16.
  kTaps16,      ///< int16 [tap][NR].
  kPairs16,     ///< int16 [tap / 2][NR][tap % 2].
  kPairRows16,  ///< int16 [kx][output row r][i / 2][NR][i % 2] with i = ky + r < 4, of 3x3 filters.
  /// int8 [tap / 4][NR][tap % 4], in groups of 64 channels, or 32 or 16 at the end. The kernel adds
  /// 128 to activations.
  kQuads8,
  kQuadRows8,  ///< The same, int8 [kx][output row r][NR][i] with i = ky + r < 4, of 3x3 filters.
};

struct DwconvQs8Kernel {
  isa::Set isa;
  const char* name;
  DwconvQs8* run;
  uint32_t nr;     ///< Channels of a group.
  uint32_t lanes;  ///< 128-bit lanes of the accumulator vectors.
  DwconvPacking packing;
  uint32_t kernel_size;  ///< The only extent (both ways) that it takes; 0 for any.
  uint32_t output_rows;  ///< The most it takes at once.
  bool needs_bounded_products;
};

#define MICROKERNEL(isa_set, symbol, ...) DwconvQs8 symbol;
#include "kernels/dwconv_qs8/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const DwconvQs8Kernel> dwconv_qs8_kernels();

/// What holds for this layer. `weights` and `bias` are read completely.
DwconvQs8Facts prove_dwconv_qs8(const DwconvQs8Weights& layer);

/// Whether `kernel` may run a layer with these facts.
bool eligible(const DwconvQs8Kernel& kernel, const DwconvQs8Facts& facts);

/// The first eligible kernel that `available` can run.
const DwconvQs8Kernel& select_dwconv_qs8(isa::Set available, const DwconvQs8Facts& facts);

/// Bytes of all packed channels, a multiple of kAlignment.
size_t packed_dwconv_bytes(const DwconvQs8Kernel& kernel, const DwconvQs8Weights& layer);

void pack_dwconv(const DwconvQs8Kernel& kernel, const DwconvQs8Weights& layer, void* packed);

}  // namespace bitpose
