// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "kernels/base/isa.h"
#include "kernels/base/pool_window.h"

namespace bitpose {

/// Mean of each channel of each window (kernels/base/pool_window.h):
///
///   acc = 0;  acc = acc + x   for each tap x, row by row;  dst = acc / count
///
/// `count` is the divisor: the number of taps, or a larger one where padding counts. Which NaN a
/// NaN result is, is not defined.
using AvgpoolF32 = void(const PoolWindow& window, const float* src, float count, float* dst);

struct AvgpoolF32Kernel {
  isa::Set isa;
  const char* name;
  AvgpoolF32* run;
};

#define MICROKERNEL(isa_set, symbol) AvgpoolF32 symbol;
#include "kernels/avgpool_f32/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const AvgpoolF32Kernel> avgpool_f32_kernels();

/// The best kernel that `available` can run.
const AvgpoolF32Kernel& select_avgpool_f32(isa::Set available);

}  // namespace bitpose
