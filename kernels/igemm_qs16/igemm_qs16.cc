// SPDX-License-Identifier: Apache-2.0
#include "kernels/igemm_qs16/igemm_qs16.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace bitpose {
namespace {

constexpr IgemmQs16Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol, mr, nr, kr) \
  {isa_set, #symbol, symbol, mr, {nr, kr, sizeof(int16_t), 0, 1}},
#include "kernels/igemm_qs16/kernels.inc"
#undef MICROKERNEL
};

/// Relative time for one row over all columns: see igemm_qs8.cc.
uint64_t cost(const IgemmQs16Kernel& kernel, size_t n) {
  const uint64_t nr = kernel.layout.nr;
  const uint64_t panels = (n + nr - 1) / nr;
  return panels * (100 * nr + 500 + 30 * nr / kernel.mr);
}

/// sum|w| of a column up to the end of each step.
std::vector<int64_t> running_sums(const IgemmQs8Weights& layer, size_t column, uint32_t kr) {
  std::vector<int64_t> sums;
  int64_t sum = 0;
  for (size_t t = 0; t < layer.ks; ++t) {
    const int8_t* w = layer.weights + (column * layer.ks + t) * layer.kc;
    for (size_t k = 0; k < layer.kc; ++k) {
      sum += std::abs(int32_t{w[k]});
      if ((k + 1) % kr == 0 || k + 1 == layer.kc) sums.push_back(sum);
    }
  }
  return sums;
}

bool stays_in_int32(int64_t magnitude, int64_t bias) {
  return 32768 * magnitude + bias < int64_t{1} << 31;
}

/// Whether all segments of this length stay in int32.
bool holds(const std::vector<int64_t>& sums, int64_t bias, size_t segment) {
  int64_t before = 0;
  for (size_t first = 0; first < sums.size(); first += segment) {
    const int64_t end = sums[std::min(first + segment, sums.size()) - 1];
    if (!stays_in_int32(end - before, first == 0 ? bias : 0)) return false;
    before = end;
  }
  return true;
}

}  // namespace

std::span<const IgemmQs16Kernel> igemm_qs16_kernels() { return kKernels; }

size_t segment_igemm_qs16(const IgemmQs8Weights& layer, uint32_t kr) {
  const size_t steps = layer.ks * ((layer.kc + kr - 1) / kr);
  size_t segments = 1;
  // Shorter segments end elsewhere, so all columns are asked again.
  for (size_t column = 0, holding = 0; holding < layer.n; column = (column + 1) % layer.n) {
    const std::vector<int64_t> sums = running_sums(layer, column, kr);
    const int64_t bias = std::abs(int64_t{layer.bias[column]});
    for (++holding; !holds(sums, bias, (steps + segments - 1) / segments); holding = 1) ++segments;
  }
  return (steps + segments - 1) / segments;
}

const IgemmQs16Kernel& select_igemm_qs16(isa::Set available, size_t columns) {
  const IgemmQs16Kernel* best = nullptr;
  for (const IgemmQs16Kernel& kernel : kKernels) {
    if (!isa::runs(kernel.isa, available)) continue;
    if (best != nullptr && kernel.isa != best->isa) break;
    if (best == nullptr || cost(kernel, columns) < cost(*best, columns)) best = &kernel;
  }
  return *best;
}

}  // namespace bitpose
