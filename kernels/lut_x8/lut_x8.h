// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/base/isa.h"

namespace bitpose {

/// dst(i) = table(src(i)) for 0 <= i < n.
///
/// Bytes are just moved: a signed code q indexes the table as the byte q & 255. `src` and `dst`
/// may be the same buffer, but may not overlap otherwise. `table` has 256 bytes.
using LutX8 = void(size_t n, const uint8_t* src, const uint8_t* table, uint8_t* dst);

struct LutX8Kernel {
  isa::Set isa;
  const char* name;
  LutX8* run;
};

#define MICROKERNEL(isa_set, symbol) LutX8 symbol;
#include "kernels/lut_x8/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const LutX8Kernel> lut_x8_kernels();

/// The best kernel that `available` can run.
const LutX8Kernel& select_lut_x8(isa::Set available);

}  // namespace bitpose
