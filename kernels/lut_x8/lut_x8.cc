// SPDX-License-Identifier: Apache-2.0
#include "kernels/lut_x8/lut_x8.h"

#include <iterator>

namespace bitpose {
namespace {

constexpr LutX8Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol, ...) {isa_set, #symbol, symbol, __VA_ARGS__},
#include "kernels/lut_x8/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const LutX8Kernel> lut_x8_kernels() { return kKernels; }

LutX8Facts prove_lut_x8(const uint8_t* table) {
  LutX8Facts facts{true};
  for (int q = 0; q < 256; ++q) {
    if (table[q] != (q ^ table[0])) facts.is_xor = false;
  }
  return facts;
}

bool eligible(const LutX8Kernel& kernel, const LutX8Facts& facts) {
  return facts.is_xor || !kernel.needs_xor;
}

const LutX8Kernel& select_lut_x8(isa::Set available, const LutX8Facts& facts) {
  for (const LutX8Kernel& kernel : kKernels) {
    if (isa::runs(kernel.isa, available) && eligible(kernel, facts)) return kernel;
  }
  return kKernels[std::size(kKernels) - 1];
}

}  // namespace bitpose
