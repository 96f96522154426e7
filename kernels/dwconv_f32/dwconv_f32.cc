// SPDX-License-Identifier: Apache-2.0
#include "kernels/dwconv_f32/dwconv_f32.h"

#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr DwconvF32Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol, ...) {isa_set, #symbol, symbol, __VA_ARGS__},
#include "kernels/dwconv_f32/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const DwconvF32Kernel> dwconv_f32_kernels() { return kKernels; }

const DwconvF32Kernel& select_dwconv_f32(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
