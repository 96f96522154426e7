// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/base/isa.h"

namespace bitpose {

/// Codes to numbers: dst(i) = float(src(i) - zero_point) * scale for 0 <= i < n.
///
/// One rounding, that of the product. `zero_point` is in [-32768, 32767]. The vectors may not
/// overlap. Nothing is read or written outside them.
using DequantizeQs16F32 = void(size_t n, const int16_t* src, float scale, int32_t zero_point,
                               float* dst);

struct DequantizeQs16F32Kernel {
  isa::Set isa;
  const char* name;
  DequantizeQs16F32* run;
};

#define MICROKERNEL(isa_set, symbol) DequantizeQs16F32 symbol;
#include "kernels/dequantize_qs16_f32/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const DequantizeQs16F32Kernel> dequantize_qs16_f32_kernels();

/// The best kernel that `available` can run.
const DequantizeQs16F32Kernel& select_dequantize_qs16_f32(isa::Set available);

}  // namespace bitpose
