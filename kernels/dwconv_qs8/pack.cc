// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "kernels/base/lane_order.h"
#include "kernels/base/overread.h"
#include "kernels/dwconv_qs8/dwconv_qs8.h"

namespace bitpose {
namespace {

/// Weights per channel, the second half of the last pair included.
size_t packed_taps(const DwconvQs8Kernel& kernel, const DwconvQs8Weights& layer) {
  const size_t taps = layer.kernel_h * layer.kernel_w;
  return kernel.packing == DwconvPacking::kPairs16 ? (taps + 1) / 2 * 2 : taps;
}

size_t weight_bytes(const DwconvQs8Kernel& kernel) {
  return kernel.packing == DwconvPacking::kTaps8 ? sizeof(int8_t) : sizeof(int16_t);
}

size_t group_bytes(const DwconvQs8Kernel& kernel, const DwconvQs8Weights& layer) {
  const size_t channel =
      sizeof(int32_t) + sizeof(float) + packed_taps(kernel, layer) * weight_bytes(kernel);
  return channel * kernel.nr;
}

/// Index of a weight among those of its group.
size_t weight_index(const DwconvQs8Kernel& kernel, size_t tap, size_t position) {
  return kernel.packing == DwconvPacking::kPairs16 ? (tap / 2 * kernel.nr + position) * 2 + tap % 2
                                                   : tap * kernel.nr + position;
}

void pack_channel(const DwconvQs8Kernel& kernel, const DwconvQs8Weights& layer, size_t channel,
                  size_t position, std::byte* group) {
  std::byte* multiplier = group + kernel.nr * sizeof(int32_t);
  std::byte* weights = multiplier + kernel.nr * sizeof(float);
  uint32_t sum = 0;
  for (size_t t = 0; t < layer.kernel_h * layer.kernel_w; ++t) {
    const auto w =
        static_cast<int16_t>(layer.weights[t * layer.channels + channel] - layer.weight_zero_point);
    sum += static_cast<uint32_t>(int32_t{w});
    // The low byte of a little-endian int16 that fits int8 is that int8.
    std::memcpy(weights + weight_index(kernel, t, position) * weight_bytes(kernel), &w,
                weight_bytes(kernel));
  }
  const uint32_t bias = static_cast<uint32_t>(layer.bias[channel]) -
                        static_cast<uint32_t>(layer.input_zero_point) * sum;
  std::memcpy(group + position * sizeof(bias), &bias, sizeof(bias));
  std::memcpy(multiplier + position * sizeof(float), &layer.multiplier[channel], sizeof(float));
}

}  // namespace

size_t packed_dwconv_bytes(const DwconvQs8Kernel& kernel, const DwconvQs8Weights& layer) {
  const size_t groups = (layer.channels + kernel.nr - 1) / kernel.nr;
  return (groups * group_bytes(kernel, layer) + kAlignment - 1) / kAlignment * kAlignment;
}

void pack_dwconv(const DwconvQs8Kernel& kernel, const DwconvQs8Weights& layer, void* packed) {
  std::memset(packed, 0, packed_dwconv_bytes(kernel, layer));
  auto* group = static_cast<std::byte*>(packed);
  for (size_t first = 0; first < layer.channels; first += kernel.nr) {
    for (uint32_t position = 0; position < kernel.nr; ++position) {
      const size_t channel = first + lane_order(kernel.nr, kernel.lanes, position);
      if (channel < layer.channels) pack_channel(kernel, layer, channel, position, group);
    }
    group += group_bytes(kernel, layer);
  }
}

}  // namespace bitpose
