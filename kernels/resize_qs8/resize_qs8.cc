// SPDX-License-Identifier: Apache-2.0
#include "kernels/resize_qs8/resize_qs8.h"

#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr ResizeQs8Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/resize_qs8/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const ResizeQs8Kernel> resize_qs8_kernels() { return kKernels; }

const ResizeQs8Kernel& select_resize_qs8(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
