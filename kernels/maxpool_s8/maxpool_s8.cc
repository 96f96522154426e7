// SPDX-License-Identifier: Apache-2.0
#include "kernels/maxpool_s8/maxpool_s8.h"

#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr MaxpoolS8Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/maxpool_s8/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const MaxpoolS8Kernel> maxpool_s8_kernels() { return kKernels; }

const MaxpoolS8Kernel& select_maxpool_s8(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
