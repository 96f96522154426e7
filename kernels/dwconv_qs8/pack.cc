// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "kernels/base/lane_order.h"
#include "kernels/base/overread.h"
#include "kernels/dwconv_qs8/dwconv_qs8.h"
#include "kernels/dwconv_qs8/parts.h"

namespace bitpose {
namespace {

/// A group of channels, from the first on.
struct PackedGroup {
  size_t first;
  uint32_t width;
  uint32_t lanes;  ///< 128-bit lanes of the accumulator vectors.
  size_t parts;    ///< int8 that a weight is the sum of; 1 where weights are int16.
};

bool in_quads(const DwconvQs8Kernel& kernel) {
  return kernel.packing == DwconvPacking::kQuads8 || kernel.packing == DwconvPacking::kQuadRows8;
}

bool in_parts(const DwconvQs8Kernel& kernel) {
  return in_quads(kernel) || kernel.packing == DwconvPacking::kTaps8;
}

/// The smallest part of a weight; the largest is 127.
int32_t smallest_part(const DwconvQs8Kernel& kernel) { return in_quads(kernel) ? -128 : -127; }

int32_t weight(const DwconvQs8Weights& layer, size_t tap, size_t channel) {
  return layer.weights[tap * layer.channels + channel] - layer.weight_zero_point;
}

size_t parts_of(const DwconvQs8Kernel& kernel, int32_t weight) {
  size_t parts = 1;
  while (weight > 127 * static_cast<int32_t>(parts) ||
         weight < smallest_part(kernel) * static_cast<int32_t>(parts)) {
    ++parts;
  }
  return parts;
}

PackedGroup group_at(const DwconvQs8Kernel& kernel, const DwconvQs8Weights& layer, size_t first) {
  PackedGroup group{first, kernel.nr, kernel.lanes, 1};
  if (!in_parts(kernel)) return group;
  if (in_quads(kernel)) {
    group.width = static_cast<uint32_t>(quad_group_width(layer.channels - first));
    group.lanes = group.width / 16;
  }
  for (size_t t = 0; t < layer.kernel_h * layer.kernel_w; ++t) {
    for (size_t c = first; c < std::min(first + group.width, layer.channels); ++c) {
      group.parts = std::max(group.parts, parts_of(kernel, weight(layer, t, c)));
    }
  }
  return group;
}

/// Bytes of one part of the weights of a group.
size_t part_bytes(const DwconvQs8Kernel& kernel, const DwconvQs8Weights& layer, size_t width) {
  const size_t taps = layer.kernel_h * layer.kernel_w;
  switch (kernel.packing) {
    case DwconvPacking::kTaps8:
      return taps * width;
    case DwconvPacking::kTaps16:
      return taps * width * sizeof(int16_t);
    case DwconvPacking::kPairs16:
      return (taps + 1) / 2 * 2 * width * sizeof(int16_t);
    case DwconvPacking::kPairRows16:
      return layer.kernel_w * 2 * 4 * width * sizeof(int16_t);
    case DwconvPacking::kQuads8:
      return (taps + 3) / 4 * 4 * width;
    case DwconvPacking::kQuadRows8:
      return layer.kernel_w * 2 * 4 * width;
  }
  return 0;
}

size_t header_bytes(const DwconvQs8Kernel& kernel) { return in_parts(kernel) ? kPartsHeader : 0; }

size_t group_bytes(const DwconvQs8Kernel& kernel, const DwconvQs8Weights& layer,
                   const PackedGroup& group) {
  return header_bytes(kernel) + group.width * (sizeof(int32_t) + sizeof(float)) +
         group.parts * part_bytes(kernel, layer, group.width);
}

void store_int16(std::byte* weights, size_t index, int32_t value) {
  const auto word = static_cast<int16_t>(value);
  std::memcpy(weights + index * sizeof(word), &word, sizeof(word));
}

/// Stores one part of the weight of a tap and channel, the latter at `position` of its group.
void store_weight(const DwconvQs8Kernel& kernel, const DwconvQs8Weights& layer, size_t width,
                  size_t tap, size_t position, int32_t value, std::byte* weights) {
  const size_t ky = tap / layer.kernel_w;
  const size_t kx = tap % layer.kernel_w;
  switch (kernel.packing) {
    case DwconvPacking::kTaps8:
      weights[tap * width + position] = static_cast<std::byte>(value);
      return;
    case DwconvPacking::kTaps16:
      store_int16(weights, tap * width + position, value);
      return;
    case DwconvPacking::kPairs16:
      store_int16(weights, (tap / 2 * width + position) * 2 + tap % 2, value);
      return;
    case DwconvPacking::kPairRows16:
      for (size_t row = 0; row < 2; ++row) {
        const size_t pair = (kx * 2 + row) * 2 + (ky + row) / 2;
        store_int16(weights, (pair * width + position) * 2 + (ky + row) % 2, value);
      }
      return;
    case DwconvPacking::kQuads8:
      weights[(tap / 4 * width + position) * 4 + tap % 4] = static_cast<std::byte>(value);
      return;
    case DwconvPacking::kQuadRows8:
      for (size_t row = 0; row < 2; ++row) {
        const size_t quad = kx * 2 + row;
        weights[(quad * width + position) * 4 + ky + row] = static_cast<std::byte>(value);
      }
      return;
  }
}

void pack_channel(const DwconvQs8Kernel& kernel, const DwconvQs8Weights& layer,
                  const PackedGroup& group, size_t channel, size_t position, std::byte* packed) {
  std::byte* bias = packed + header_bytes(kernel);
  std::byte* multiplier = bias + group.width * sizeof(int32_t);
  std::byte* weights = multiplier + group.width * sizeof(float);
  uint32_t sum = 0;
  for (size_t t = 0; t < layer.kernel_h * layer.kernel_w; ++t) {
    int32_t rest = weight(layer, t, channel);
    sum += static_cast<uint32_t>(rest);
    for (size_t part = 0; part + 1 < group.parts; ++part) {
      const int32_t value = std::clamp(rest, smallest_part(kernel), 127);
      rest -= value;
      store_weight(kernel, layer, group.width, t, position, value,
                   weights + part * part_bytes(kernel, layer, group.width));
    }
    store_weight(kernel, layer, group.width, t, position, rest,
                 weights + (group.parts - 1) * part_bytes(kernel, layer, group.width));
  }
  // Kernels that multiply unsigned activations add 128 to them.
  const auto offset = static_cast<uint32_t>(layer.input_zero_point + (in_quads(kernel) ? 128 : 0));
  const uint32_t packed_bias = static_cast<uint32_t>(layer.bias[channel]) - offset * sum;
  std::memcpy(bias + position * sizeof(packed_bias), &packed_bias, sizeof(packed_bias));
  std::memcpy(multiplier + position * sizeof(float), &layer.multiplier[channel], sizeof(float));
}

}  // namespace

size_t packed_dwconv_bytes(const DwconvQs8Kernel& kernel, const DwconvQs8Weights& layer) {
  size_t bytes = 0;
  for (size_t first = 0; first < layer.channels;) {
    const PackedGroup group = group_at(kernel, layer, first);
    bytes += group_bytes(kernel, layer, group);
    first += group.width;
  }
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

void pack_dwconv(const DwconvQs8Kernel& kernel, const DwconvQs8Weights& layer, void* packed) {
  std::memset(packed, 0, packed_dwconv_bytes(kernel, layer));
  auto* at = static_cast<std::byte*>(packed);
  for (size_t first = 0; first < layer.channels;) {
    const PackedGroup group = group_at(kernel, layer, first);
    if (in_parts(kernel)) {
      const auto parts = static_cast<uint32_t>(group.parts);
      std::memcpy(at, &parts, sizeof(parts));
    }
    for (uint32_t position = 0; position < group.width; ++position) {
      const size_t channel = first + lane_order(group.width, group.lanes, position);
      if (channel < layer.channels) pack_channel(kernel, layer, group, channel, position, at);
    }
    at += group_bytes(kernel, layer, group);
    first += group.width;
  }
}

}  // namespace bitpose
