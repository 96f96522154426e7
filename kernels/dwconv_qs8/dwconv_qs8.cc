// SPDX-License-Identifier: Apache-2.0
#include "kernels/dwconv_qs8/dwconv_qs8.h"

#include <cmath>
#include <cstdlib>

namespace bitpose {
namespace {

constexpr DwconvQs8Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol, ...) {isa_set, #symbol, symbol, __VA_ARGS__},
#include "kernels/dwconv_qs8/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const DwconvQs8Kernel> dwconv_qs8_kernels() { return kKernels; }

DwconvQs8Facts prove_dwconv_qs8(const DwconvQs8Weights& layer) {
  DwconvQs8Facts facts{layer.kernel_h, layer.kernel_w, true};
  const double largest_input = 128.0 + std::abs(layer.input_zero_point);
  for (size_t c = 0; c < layer.channels; ++c) {
    double magnitude = 0;
    for (size_t t = 0; t < layer.kernel_h * layer.kernel_w; ++t) {
      magnitude += std::abs(layer.weights[t * layer.channels + c] - layer.weight_zero_point);
    }
    const double bound = std::abs(static_cast<double>(layer.bias[c])) + largest_input * magnitude;
    if (bound * layer.multiplier[c] >= 0x1p30 || bound >= 0x1p31) facts.bounded_products = false;
  }
  return facts;
}

bool eligible(const DwconvQs8Kernel& kernel, const DwconvQs8Facts& facts) {
  const size_t size = kernel.kernel_size;
  return (size == 0 || (facts.kernel_h == size && facts.kernel_w == size)) &&
         (facts.bounded_products || !kernel.needs_bounded_products);
}

const DwconvQs8Kernel& select_dwconv_qs8(isa::Set available, const DwconvQs8Facts& facts) {
  const DwconvQs8Kernel* best = kKernels;
  while (!isa::runs(best->isa, available) || !eligible(*best, facts)) ++best;
  return *best;
}

}  // namespace bitpose
