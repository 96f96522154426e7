// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax_f32/softmax_f32.h"

#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr SoftmaxF32Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/softmax_f32/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const SoftmaxF32Kernel> softmax_f32_kernels() { return kKernels; }

const SoftmaxF32Kernel& select_softmax_f32(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
