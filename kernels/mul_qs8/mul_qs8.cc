// SPDX-License-Identifier: Apache-2.0
#include "kernels/mul_qs8/mul_qs8.h"

#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr MulQs8Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/mul_qs8/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const MulQs8Kernel> mul_qs8_kernels() { return kKernels; }

const MulQs8Kernel& select_mul_qs8(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
