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
/// may be the same buffer, but may not overlap otherwise. `table` has 256 bytes. Nothing is read or
/// written outside the vectors.
using LutX8 = void(size_t n, const uint8_t* src, const uint8_t* table, uint8_t* dst);

/// What holds for a table.
struct LutX8Facts {
  /// table(q) = q ^ table(0) for every q. With table(0) = 128 this turns uint8 codes to int8.
  bool is_xor = false;
};

struct LutX8Kernel {
  isa::Set isa;
  const char* name;
  LutX8* run;
  bool needs_xor;
};

#define MICROKERNEL(isa_set, symbol, ...) LutX8 symbol;
#include "kernels/lut_x8/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const LutX8Kernel> lut_x8_kernels();

LutX8Facts prove_lut_x8(const uint8_t* table);

/// Whether `kernel` may run a table with these facts.
bool eligible(const LutX8Kernel& kernel, const LutX8Facts& facts);

/// The best kernel for a table with these facts that `available` can run.
const LutX8Kernel& select_lut_x8(isa::Set available, const LutX8Facts& facts = {});

}  // namespace bitpose
