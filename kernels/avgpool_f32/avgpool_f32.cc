// SPDX-License-Identifier: Apache-2.0
#include "kernels/avgpool_f32/avgpool_f32.h"

#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr AvgpoolF32Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/avgpool_f32/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const AvgpoolF32Kernel> avgpool_f32_kernels() { return kKernels; }

const AvgpoolF32Kernel& select_avgpool_f32(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
