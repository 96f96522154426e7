// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/base/isa.h"
#include "kernels/base/requantize.h"

/// One row of a bilinear resize of signed 8-bit pictures, between two rows of the input.
///
///   h(row) = (2048 - wx) * (row(left) - zero_point) + wx * (row(right) - zero_point)
///   acc    = (2048 - wy) * h(top) + wy * h(bottom)
///   dst    = requantize(acc, multiplier, range)                    (kernels/base/requantize.h)
///
/// for every channel of every output column; left, right and wx are those of the column. acc is
/// exact: |acc| <= 255 * 2^22.
namespace bitpose {

/// The weights of two neighbours sum to this.
inline constexpr int32_t kResizeOne = 2048;

/// Where an output column lies between two input columns.
struct ResizeQs8Column {
  uint32_t left;   ///< First element of the left pixel, counted from the start of the row,
  uint32_t right;  ///< and of the right one.
  int32_t weight;  ///< wx, in [0, 2048].
};

struct ResizeQs8Args {
  size_t n = 0;   ///< Output columns.
  size_t kc = 0;  ///< Channels.
  const int8_t* top = nullptr;
  const int8_t* bottom = nullptr;
  const ResizeQs8Column* columns = nullptr;  ///< [n].
  int32_t bottom_weight = 0;                 ///< wy, in [0, 2048].
  int32_t zero_point = 0;                    ///< Of the input, in [-128, 127].
  float multiplier = 0;                      ///< Finite and positive; holds the factor 2^-22.
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
