// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/base/isa.h"
#include "kernels/base/requantize.h"

namespace bitpose {

/// Numbers to codes, for 0 <= i < n:
///
///   dst(i) = quantize(src(i), scale, range)                          (kernels/base/quantize.h)
///
/// `scale` is finite and positive, qmin <= qmax. The vectors may not overlap. Nothing is read or
/// written outside them.
using QuantizeF32Qs16 = void(size_t n, const float* src, float scale, const OutputRange& range,
                             int16_t* dst);

struct QuantizeF32Qs16Kernel {
  isa::Set isa;
  const char* name;
  QuantizeF32Qs16* run;
};

#define MICROKERNEL(isa_set, symbol) QuantizeF32Qs16 symbol;
#include "kernels/quantize_f32_qs16/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const QuantizeF32Qs16Kernel> quantize_f32_qs16_kernels();

/// The best kernel that `available` can run.
const QuantizeF32Qs16Kernel& select_quantize_f32_qs16(isa::Set available);

}  // namespace bitpose
