// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "kernels/base/overread.h"
#include "kernels/gemm_f32/gemm_f32.h"

namespace bitpose {

size_t packed_panel_bytes(uint32_t nr, size_t ks, size_t kc) {
  const size_t bytes = (1 + ks * kc) * nr * sizeof(float);
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

void pack_panel(uint32_t nr, const GemmF32Weights& layer, size_t first_column, float* panel) {
  const size_t k = layer.ks * layer.kc;
  std::memset(panel, 0, packed_panel_bytes(nr, layer.ks, layer.kc));
  for (uint32_t j = 0; j < nr && first_column + j < layer.n; ++j) {
    const float* weights = layer.weights + (first_column + j) * k;
    panel[j] = layer.bias[first_column + j];
    for (size_t i = 0; i < k; ++i) panel[(1 + i) * nr + j] = weights[i];
  }
}

}  // namespace bitpose
