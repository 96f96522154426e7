// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "kernels/base/lane_order.h"
#include "kernels/base/overread.h"
#include "kernels/igemm_qs8/igemm_qs8.h"

namespace bitpose {
namespace {

size_t blocks(const PackLayout& layout, size_t kc) { return (kc + layout.kr - 1) / layout.kr; }

/// The bracket of the header's last formula that does not depend on activations, modulo 2^32, less
/// what the kernel adds by shifting activations.
uint32_t packed_bias(const PackLayout& layout, const IgemmQs8Weights& layer, size_t column) {
  const size_t k = layer.ks * layer.kc;
  uint32_t sum = 0;
  for (size_t i = 0; i < k; ++i)
    sum += static_cast<uint32_t>(int32_t{layer.weights[column * k + i]});
  const auto za = static_cast<uint32_t>(layer.input_zero_point);
  const auto zw = static_cast<uint32_t>(layer.weight_zero_point);
  const auto offset = static_cast<uint32_t>(layout.activation_offset);
  return static_cast<uint32_t>(layer.bias[column]) - (za + offset) * sum +
         static_cast<uint32_t>(k) * za * zw;
}

void store_weight(const PackLayout& layout, int8_t weight, std::byte* dst) {
  const auto wide = int16_t{weight};
  std::memcpy(dst, layout.weight_bytes == 1 ? static_cast<const void*>(&weight) : &wide,
              layout.weight_bytes);
}

}  // namespace

size_t packed_panel_bytes(const PackLayout& layout, size_t ks, size_t kc) {
  const size_t columns = size_t{layout.nr} * (sizeof(int32_t) + sizeof(float));
  const size_t weights = ks * blocks(layout, kc) * layout.kr * layout.nr * layout.weight_bytes;
  return (columns + weights + kAlignment - 1) / kAlignment * kAlignment;
}

void pack_panel(const PackLayout& layout, const IgemmQs8Weights& layer, size_t first_column,
                void* panel) {
  std::memset(panel, 0, packed_panel_bytes(layout, layer.ks, layer.kc));
  auto* bias = static_cast<std::byte*>(panel);
  std::byte* multiplier = bias + layout.nr * sizeof(int32_t);
  std::byte* weights = multiplier + layout.nr * sizeof(float);
  const size_t tap_blocks = blocks(layout, layer.kc);
  for (uint32_t position = 0; position < layout.nr; ++position) {
    const size_t column = first_column + lane_order(layout.nr, layout.lanes, position);
    if (column >= layer.n) continue;
    const uint32_t b = packed_bias(layout, layer, column);
    std::memcpy(bias + position * sizeof(b), &b, sizeof(b));
    std::memcpy(multiplier + position * sizeof(float), &layer.multiplier[column], sizeof(float));
    for (size_t t = 0; t < layer.ks; ++t) {
      const int8_t* row = layer.weights + (column * layer.ks + t) * layer.kc;
      for (size_t k = 0; k < layer.kc; ++k) {
        const size_t block = t * tap_blocks + k / layout.kr;
        const size_t index = (block * layout.nr + position) * layout.kr + k % layout.kr;
        store_weight(layout, row[k], weights + index * layout.weight_bytes);
      }
    }
  }
}

}  // namespace bitpose
