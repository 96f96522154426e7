// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "kernels/base/isa.h"
#include "kernels/base/pool_window.h"

namespace bitpose {

/// Largest code of each channel of each window (kernels/base/pool_window.h).
using MaxpoolS8 = void(const PoolWindow& window, const int8_t* src, int8_t* dst);

struct MaxpoolS8Kernel {
  isa::Set isa;
  const char* name;
  MaxpoolS8* run;
};

#define MICROKERNEL(isa_set, symbol) MaxpoolS8 symbol;
#include "kernels/maxpool_s8/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const MaxpoolS8Kernel> maxpool_s8_kernels();

/// The best kernel that `available` can run.
const MaxpoolS8Kernel& select_maxpool_s8(isa::Set available);

}  // namespace bitpose
