// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "kernels/base/isa.h"
#include "kernels/base/pool_window.h"

namespace bitpose {

/// Largest number of each channel of each window (kernels/base/pool_window.h):
///
///   acc = first tap;  acc = x > acc ? x : acc   for each further tap x, row by row
///
/// So NaN is the result where it is the first tap and is passed over elsewhere.
using MaxpoolF32 = void(const PoolWindow& window, const float* src, float* dst);

struct MaxpoolF32Kernel {
  isa::Set isa;
  const char* name;
  MaxpoolF32* run;
};

#define MICROKERNEL(isa_set, symbol) MaxpoolF32 symbol;
#include "kernels/maxpool_f32/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const MaxpoolF32Kernel> maxpool_f32_kernels();

/// The best kernel that `available` can run.
const MaxpoolF32Kernel& select_maxpool_f32(isa::Set available);

}  // namespace bitpose
