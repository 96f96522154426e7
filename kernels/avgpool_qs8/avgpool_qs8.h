// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "kernels/base/isa.h"
#include "kernels/base/pool_window.h"
#include "kernels/base/requantize.h"

namespace bitpose {

/// Mean of each channel of each window (kernels/base/pool_window.h):
///
///   acc = sum over the taps of (x - zero_point)
///   dst = requantize(acc, multiplier, range)                       (kernels/base/requantize.h)
///
/// acc is exact modulo 2^32. `multiplier`, finite and not negative, holds the division by the
/// number of taps.
struct AvgpoolQs8Args {
  PoolWindow window;
  const int8_t* src = nullptr;
  int8_t* dst = nullptr;
  int32_t zero_point = 0;  ///< Of the source, in [-128, 127].
  float multiplier = 0;
  OutputRange range;  ///< qmin <= qmax.
};

using AvgpoolQs8 = void(const AvgpoolQs8Args& args);

struct AvgpoolQs8Kernel {
  isa::Set isa;
  const char* name;
  AvgpoolQs8* run;
};

#define MICROKERNEL(isa_set, symbol) AvgpoolQs8 symbol;
#include "kernels/avgpool_qs8/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const AvgpoolQs8Kernel> avgpool_qs8_kernels();

/// The best kernel that `available` can run.
const AvgpoolQs8Kernel& select_avgpool_qs8(isa::Set available);

}  // namespace bitpose
