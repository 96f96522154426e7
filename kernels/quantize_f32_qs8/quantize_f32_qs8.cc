// SPDX-License-Identifier: Apache-2.0
#include "kernels/quantize_f32_qs8/quantize_f32_qs8.h"

#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr QuantizeF32Qs8Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/quantize_f32_qs8/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const QuantizeF32Qs8Kernel> quantize_f32_qs8_kernels() { return kKernels; }

const QuantizeF32Qs8Kernel& select_quantize_f32_qs8(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
