// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/base/isa.h"

/// One row of a bilinear resize, between two rows of the input.
///
///   h(row) = fma(wx, row(right) - row(left), row(left))
///   dst    = fma(wy, h(bottom) - h(top), h(top))
///
/// for every channel of every output column; left, right and wx are those of the column. Which NaN
/// a NaN result is, is not defined.
namespace bitpose {

/// Where an output column lies between two input columns.
struct ResizeF32Column {
  uint32_t left;   ///< First element of the left pixel, counted from the start of the row,
  uint32_t right;  ///< and of the right one.
  float weight;    ///< wx, in [0, 1].
};

struct ResizeF32Args {
  size_t n = 0;   ///< Output columns.
  size_t kc = 0;  ///< Channels.
  const float* top = nullptr;
  const float* bottom = nullptr;
  const ResizeF32Column* columns = nullptr;  ///< [n].
  float bottom_weight = 0;                   ///< wy, in [0, 1].
  float* dst = nullptr;                      ///< [n][kc], overlaps no input.
};

/// Nothing is read or written outside the pixels of the columns.
using ResizeF32 = void(const ResizeF32Args& args);

struct ResizeF32Kernel {
  isa::Set isa;
  const char* name;
  ResizeF32* run;
};

#define MICROKERNEL(isa_set, symbol) ResizeF32 symbol;
#include "kernels/resize_f32/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const ResizeF32Kernel> resize_f32_kernels();

/// The best kernel that `available` can run.
const ResizeF32Kernel& select_resize_f32(isa::Set available);

}  // namespace bitpose
