// SPDX-License-Identifier: Apache-2.0
#include "kernels/resize_f32/resize_f32.h"

#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr ResizeF32Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/resize_f32/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const ResizeF32Kernel> resize_f32_kernels() { return kKernels; }

const ResizeF32Kernel& select_resize_f32(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
