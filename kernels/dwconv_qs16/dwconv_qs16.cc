// SPDX-License-Identifier: Apache-2.0
#include "kernels/dwconv_qs16/dwconv_qs16.h"

#include <cstdlib>
#include <cstring>

#include "kernels/base/lane_order.h"
#include "kernels/base/overread.h"
#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr DwconvQs16Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol, ...) {isa_set, #symbol, symbol, __VA_ARGS__},
#include "kernels/dwconv_qs16/kernels.inc"
#undef MICROKERNEL
};

/// Of a group of channels.
size_t group_bytes(const DwconvQs16Kernel& kernel, const DwconvQs8Weights& layer) {
  const size_t taps = layer.kernel_h * ((layer.kernel_w + kernel.kr - 1) / kernel.kr) * kernel.kr;
  return kernel.nr * (sizeof(int32_t) + sizeof(float) + taps * sizeof(int16_t));
}

}  // namespace

std::span<const DwconvQs16Kernel> dwconv_qs16_kernels() { return kKernels; }

const DwconvQs16Kernel& select_dwconv_qs16(isa::Set available) {
  return first_runnable(kKernels, available);
}

bool prove_dwconv_qs16(const DwconvQs8Weights& layer) {
  for (size_t c = 0; c < layer.channels; ++c) {
    int64_t bound = std::abs(int64_t{layer.bias[c]});
    for (size_t t = 0; t < layer.kernel_h * layer.kernel_w; ++t) {
      bound += 32768 * std::abs(int64_t{layer.weights[t * layer.channels + c]});
    }
    if (bound >= int64_t{1} << 31) return false;
  }
  return true;
}

size_t packed_dwconv_bytes(const DwconvQs16Kernel& kernel, const DwconvQs8Weights& layer) {
  const size_t groups = (layer.channels + kernel.nr - 1) / kernel.nr;
  const size_t bytes = groups * group_bytes(kernel, layer);
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

void pack_dwconv(const DwconvQs16Kernel& kernel, const DwconvQs8Weights& layer, void* packed) {
  std::memset(packed, 0, packed_dwconv_bytes(kernel, layer));
  const size_t nr = kernel.nr;
  const size_t row_steps = (layer.kernel_w + kernel.kr - 1) / kernel.kr;
  auto* group = static_cast<std::byte*>(packed);
  for (size_t first = 0; first < layer.channels; first += nr, group += group_bytes(kernel, layer)) {
    auto* bias = reinterpret_cast<int32_t*>(group);
    auto* multiplier = reinterpret_cast<float*>(bias + nr);
    auto* weights = reinterpret_cast<int16_t*>(multiplier + nr);
    for (uint32_t position = 0; position < nr; ++position) {
      const size_t c = first + lane_order(kernel.nr, kernel.lanes, position);
      if (c >= layer.channels) continue;
      bias[position] = layer.bias[c];
      multiplier[position] = layer.multiplier[c];
      for (size_t t = 0; t < layer.kernel_h * layer.kernel_w; ++t) {
        const size_t kx = t % layer.kernel_w;
        const size_t step = t / layer.kernel_w * row_steps + kx / kernel.kr;
        weights[(step * nr + position) * kernel.kr + kx % kernel.kr] =
            layer.weights[t * layer.channels + c];
      }
    }
  }
}

}  // namespace bitpose
