// SPDX-License-Identifier: Apache-2.0
#include "kernels/avgpool_qs8/avgpool_qs8.h"

#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr AvgpoolQs8Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/avgpool_qs8/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const AvgpoolQs8Kernel> avgpool_qs8_kernels() { return kKernels; }

const AvgpoolQs8Kernel& select_avgpool_qs8(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
