// SPDX-License-Identifier: Apache-2.0
#include "kernels/lut_x8/lut_x8.h"

#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr LutX8Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/lut_x8/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const LutX8Kernel> lut_x8_kernels() { return kKernels; }

const LutX8Kernel& select_lut_x8(isa::Set available) { return first_runnable(kKernels, available); }

}  // namespace bitpose
