// SPDX-License-Identifier: Apache-2.0
#include "kernels/igemm_qs8/igemm_qs8.h"

#include <cmath>
#include <cstdlib>

namespace bitpose {
namespace {

constexpr IgemmQs8Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol, ...) {isa_set, #symbol, symbol, __VA_ARGS__},
#include "kernels/igemm_qs8/kernels.inc"
#undef MICROKERNEL
};

/// Relative time for one row over all columns: the arithmetic of the padded columns, plus what a
/// tile loads per step, which a wide and tall tile spreads over more products.
uint64_t cost(const IgemmQs8Kernel& kernel, size_t n) {
  const uint64_t nr = kernel.layout.nr;
  const uint64_t panels = (n + nr - 1) / nr;
  return panels * (100 * nr + 500 + 30 * nr / kernel.mr);
}

}  // namespace

std::span<const IgemmQs8Kernel> igemm_qs8_kernels() { return kKernels; }

IgemmQs8Facts prove_igemm_qs8(const IgemmQs8Weights& layer) {
  IgemmQs8Facts facts{layer.n, true, true};
  const size_t k = layer.ks * layer.kc;
  // |a - za| <= 255 always; <= 128 + |za| is what holds for the given zero point.
  const double largest_input = 128.0 + std::abs(layer.input_zero_point);
  for (size_t j = 0; j < layer.n; ++j) {
    int64_t magnitude = 0;
    for (size_t i = 0; i < k; ++i) {
      const int32_t w = layer.weights[j * k + i];
      magnitude += std::abs(w - layer.weight_zero_point);
      if (w == -128) facts.symmetric_weights = false;
    }
    const double bound = std::abs(static_cast<double>(layer.bias[j])) +
                         largest_input * static_cast<double>(magnitude);
    if (bound * layer.multiplier[j] >= 0x1p30 || bound >= 0x1p31) facts.bounded_products = false;
  }
  return facts;
}

bool eligible(const IgemmQs8Kernel& kernel, const IgemmQs8Facts& facts) {
  return (facts.bounded_products || !kernel.needs_bounded_products) &&
         (facts.symmetric_weights || !kernel.needs_symmetric_weights);
}

const IgemmQs8Kernel& select_igemm_qs8(isa::Set available, const IgemmQs8Facts& facts) {
  const IgemmQs8Kernel* best = nullptr;
  for (const IgemmQs8Kernel& kernel : kKernels) {
    if (!isa::runs(kernel.isa, available) || !eligible(kernel, facts)) continue;
    if (best != nullptr && kernel.isa != best->isa) break;
    if (best == nullptr || cost(kernel, facts.n) < cost(*best, facts.n)) best = &kernel;
  }
  return *best;
}

}  // namespace bitpose
