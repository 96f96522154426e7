// SPDX-License-Identifier: Apache-2.0
#include "kernels/quantize_f32_qs16/quantize_f32_qs16.h"

#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr QuantizeF32Qs16Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/quantize_f32_qs16/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const QuantizeF32Qs16Kernel> quantize_f32_qs16_kernels() { return kKernels; }

const QuantizeF32Qs16Kernel& select_quantize_f32_qs16(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
