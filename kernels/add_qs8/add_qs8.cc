// SPDX-License-Identifier: Apache-2.0
#include "kernels/add_qs8/add_qs8.h"

#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr AddQs8Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/add_qs8/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const AddQs8Kernel> add_qs8_kernels() { return kKernels; }

const AddQs8Kernel& select_add_qs8(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
