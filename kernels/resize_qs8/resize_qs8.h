// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/base/isa.h"
#include "kernels/base/requantize.h"

/// One row of a bilinear resize of signed 8-bit pictures, between two rows of the input.
///
///   x(row, pixel) = float(row(pixel) - zero_point) * x_scale
///   y   = left_weight  * top_weight    * x(top, left)
///       + right_weight * top_weight    * x(top, right)
///       + left_weight  * bottom_weight * x(bottom, left)
///       + right_weight * bottom_weight * x(bottom, right)
///   dst = quantize(y, y_scale, range)                                (kernels/base/quantize.h)
///
/// for every channel of every output column; left, right and their weights are those of the column.
/// Each product and each sum rounds once to float32, from left to right and from top to bottom.
/// This is what onnxruntime computes between DequantizeLinear and QuantizeLinear, roundings
/// included: averages of codes often lie half-way between two codes, where the last bit of y
/// decides.
namespace bitpose {

/// Where an output column lies between two input columns.
struct ResizeQs8Column {
  uint32_t left;       ///< First element of the left pixel, counted from the start of the row,
  uint32_t right;      ///< and of the right one.
  float left_weight;   ///< In [0, 1],
  float right_weight;  ///< and so is this.
};

struct ResizeQs8Args {
  size_t n = 0;   ///< Output columns.
  size_t kc = 0;  ///< Channels.
  const int8_t* top = nullptr;
  const int8_t* bottom = nullptr;
  const ResizeQs8Column* columns = nullptr;  ///< [n].
  float top_weight = 0;                      ///< In [0, 1],
  float bottom_weight = 0;                   ///< and so is this.
  int32_t zero_point = 0;                    ///< Of the input, in [-128, 127].
  float x_scale = 0;                         ///< Finite and positive,
  float y_scale = 0;                         ///< and so is this.
  OutputRange range;                         ///< qmin <= qmax.
  int8_t* dst = nullptr;                     ///< [n][kc], overlaps no input.
};

/// Nothing is read or written outside the pixels of the columns.
using ResizeQs8 = void(const ResizeQs8Args& args);

struct ResizeQs8Kernel {
  isa::Set isa;
  const char* name;
  ResizeQs8* run;
};

#define MICROKERNEL(isa_set, symbol) ResizeQs8 symbol;
#include "kernels/resize_qs8/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const ResizeQs8Kernel> resize_qs8_kernels();

/// The best kernel that `available` can run.
const ResizeQs8Kernel& select_resize_qs8(isa::Set available);

}  // namespace bitpose
