// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_f32/gemm_f32.h"

namespace bitpose {
namespace {

constexpr GemmF32Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol, ...) {isa_set, #symbol, symbol, __VA_ARGS__},
#include "kernels/gemm_f32/kernels.inc"
#undef MICROKERNEL
};

/// The kernels of the best instruction set that `available` can run.
std::span<const GemmF32Kernel> best_group(isa::Set available) {
  size_t first = 0;
  while (!isa::runs(kKernels[first].isa, available)) ++first;
  size_t count = 1;
  while (first + count < std::size(kKernels) && kKernels[first + count].isa == kKernels[first].isa)
    ++count;
  return {kKernels + first, count};
}

/// Relative time of one panel for one row and one k: the arithmetic of its columns, what a row
/// loads once for all columns, and what the columns load once for all rows of a tile.
uint64_t panel_cost(const GemmF32Kernel& kernel) {
  return 100 * kernel.nr + 200 + 20 * kernel.nr / kernel.mr;
}

}  // namespace

std::span<const GemmF32Kernel> gemm_f32_kernels() { return kKernels; }

GemmF32Plan plan_gemm_f32(isa::Set available, size_t n) {
  const std::span<const GemmF32Kernel> kernels = best_group(available);
  GemmF32Plan best;
  uint64_t best_cost = UINT64_MAX;
  for (const GemmF32Kernel& body : kernels) {
    for (const GemmF32Kernel& tail : kernels) {
      const size_t panels = n / body.nr;
      const size_t rest = n % body.nr;
      if (tail.nr < rest) continue;
      const uint64_t cost = panels * panel_cost(body) + (rest != 0 ? panel_cost(tail) : 0);
      if (cost >= best_cost) continue;
      best_cost = cost;
      best = {&body, &tail, panels, rest};
    }
  }
  return best;
}

}  // namespace bitpose
