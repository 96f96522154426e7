// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "kernels/base/overread.h"
#include "kernels/dwconv_f32/dwconv_f32.h"

namespace bitpose {

size_t packed_dwconv_bytes(const DwconvF32Kernel& kernel, const DwconvF32Weights& layer) {
  const size_t groups = (layer.channels + kernel.nr - 1) / kernel.nr;
  const size_t bytes = groups * (1 + layer.taps) * kernel.nr * sizeof(float);
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

void pack_dwconv(const DwconvF32Kernel& kernel, const DwconvF32Weights& layer, float* packed) {
  const size_t nr = kernel.nr;
  std::memset(packed, 0, packed_dwconv_bytes(kernel, layer));
  for (size_t c = 0; c < layer.channels; ++c) {
    float* group = packed + c / nr * (1 + layer.taps) * nr + c % nr;
    group[0] = layer.bias[c];
    for (size_t t = 0; t < layer.taps; ++t) {
      group[(1 + t) * nr] = layer.weights[t * layer.channels + c];
    }
  }
}

}  // namespace bitpose
