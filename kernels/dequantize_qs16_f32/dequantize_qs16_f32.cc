// SPDX-License-Identifier: Apache-2.0
#include "kernels/dequantize_qs16_f32/dequantize_qs16_f32.h"

#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr DequantizeQs16F32Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/dequantize_qs16_f32/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const DequantizeQs16F32Kernel> dequantize_qs16_f32_kernels() { return kKernels; }

const DequantizeQs16F32Kernel& select_dequantize_qs16_f32(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
