// SPDX-License-Identifier: Apache-2.0
#include "kernels/maxpool_f32/maxpool_f32.h"

#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr MaxpoolF32Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/maxpool_f32/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const MaxpoolF32Kernel> maxpool_f32_kernels() { return kKernels; }

const MaxpoolF32Kernel& select_maxpool_f32(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
