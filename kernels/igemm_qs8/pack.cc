// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <span>

#include "kernels/base/lane_order.h"
#include "kernels/base/overread.h"
#include "kernels/igemm_qs8/igemm_qs8.h"

namespace bitpose {
namespace {

size_t blocks(const PackLayout& layout, size_t kc) { return (kc + layout.kr - 1) / layout.kr; }

/// The sum of the weights of a column.
uint32_t sum_of(const IgemmQs8Weights& layer, size_t column) {
  const size_t k = layer.ks * layer.kc;
  uint32_t sum = 0;
  for (size_t i = 0; i < k; ++i)
    sum += static_cast<uint32_t>(int32_t{layer.weights[column * k + i]});
  return sum;
}

/// The bracket of the header's last formula that does not depend on activations, modulo 2^32, less
/// what the kernel adds by shifting activations. `sum` is that of the column's weights.
uint32_t packed_bias(const PackLayout& layout, const IgemmQs8Weights& layer, size_t column,
                     uint32_t sum) {
  const size_t k = layer.ks * layer.kc;
  const auto za = static_cast<uint32_t>(layer.input_zero_point);
  const auto zw = static_cast<uint32_t>(layer.weight_zero_point);
  const auto offset = static_cast<uint32_t>(layout.activation_offset);
  return static_cast<uint32_t>(layer.bias[column]) - (za + offset) * sum +
         static_cast<uint32_t>(k) * za * zw;
}

/// Bias and multiplier of a column.
void store_column(const PackLayout& layout, const IgemmQs8Weights& layer, size_t column,
                  uint32_t sum, uint32_t position, std::byte* panel) {
  const uint32_t b = packed_bias(layout, layer, column, sum);
  std::memcpy(panel + position * sizeof(b), &b, sizeof(b));
  std::memcpy(panel + layout.nr * sizeof(b) + position * sizeof(float), &layer.multiplier[column],
              sizeof(float));
}

void store_weight(const PackLayout& layout, int8_t weight, std::byte* dst) {
  const auto wide = int16_t{weight};
  std::memcpy(dst, layout.weight_bytes == 1 ? static_cast<const void*>(&weight) : &wide,
              layout.weight_bytes);
}

/// One block of KR rows, of which `rows` exist: dst [position][KR]. Rows are first interleaved in
/// their own order, which compilers do by vectors, then whole columns go to their positions.
template <typename Weight, size_t kr>
void interleave(const int8_t* src, size_t row_step, size_t rows, size_t columns,
                std::span<const uint8_t> order, Weight* dst) {
  static constexpr int8_t kZeros[kMaxColumns] = {};
  const int8_t* row[kr];
  for (size_t i = 0; i < kr; ++i) row[i] = i < rows ? src + i * row_step : kZeros;
  Weight block[kMaxColumns * kr] = {};
  for (size_t j = 0; j < columns; ++j) {
    for (size_t i = 0; i < kr; ++i) block[j * kr + i] = row[i][j];
  }
  for (size_t position = 0; position < order.size(); ++position) {
    std::memcpy(dst + position * kr, block + order[position] * kr, kr * sizeof(Weight));
  }
}

/// All blocks of a panel.
template <typename Weight, size_t kr>
void interleave_all(const IgemmQs8Weights& layer, size_t row_step, std::span<const uint8_t> order,
                    std::byte* weights) {
  const size_t columns = std::min<size_t>(layer.n, order.size());
  auto* dst = reinterpret_cast<Weight*>(weights);
  for (size_t k = 0; k < layer.kc; k += kr, dst += kr * order.size()) {
    interleave<Weight, kr>(layer.weights + k * row_step, row_step, std::min(kr, layer.kc - k),
                           columns, order, dst);
  }
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
  auto* bytes = static_cast<std::byte*>(panel);
  std::byte* weights = bytes + layout.nr * (sizeof(int32_t) + sizeof(float));
  const size_t tap_blocks = blocks(layout, layer.kc);
  for (uint32_t position = 0; position < layout.nr; ++position) {
    const size_t column = first_column + lane_order(layout.nr, layout.lanes, position);
    if (column >= layer.n) continue;
    store_column(layout, layer, column, sum_of(layer, column), position, bytes);
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

void pack_panel_of_rows(const PackLayout& layout, const IgemmQs8Weights& layer, size_t row_step,
                        void* panel) {
  auto* bytes = static_cast<std::byte*>(panel);
  std::byte* weights = bytes + layout.nr * (sizeof(int32_t) + sizeof(float));
  const size_t columns = std::min<size_t>(layer.n, layout.nr);
  std::memset(bytes, 0, layout.nr * (sizeof(int32_t) + sizeof(float)));
  uint32_t sums[kMaxColumns] = {};
  for (size_t k = 0; k < layer.kc; ++k) {
    const int8_t* row = layer.weights + k * row_step;
    for (size_t j = 0; j < columns; ++j) sums[j] += static_cast<uint32_t>(int32_t{row[j]});
  }
  uint8_t order[kMaxColumns];
  for (uint32_t position = 0; position < layout.nr; ++position) {
    const size_t column = lane_order(layout.nr, layout.lanes, position);
    order[position] = static_cast<uint8_t>(column);
    if (column >= columns) continue;
    store_column(layout, layer, column, sums[column], position, bytes);
  }
  const std::span<const uint8_t> positions(order, layout.nr);
  if (layout.weight_bytes == 1 && layout.kr == 4) {
    return interleave_all<int8_t, 4>(layer, row_step, positions, weights);
  }
  if (layout.weight_bytes == 1 && layout.kr == 2) {
    return interleave_all<int8_t, 2>(layer, row_step, positions, weights);
  }
  if (layout.weight_bytes == 2 && layout.kr == 2) {
    return interleave_all<int16_t, 2>(layer, row_step, positions, weights);
  }
  std::memset(weights, 0, blocks(layout, layer.kc) * layout.kr * layout.nr * layout.weight_bytes);
  for (size_t k = 0; k < layer.kc; ++k) {
    for (size_t position = 0; position < layout.nr; ++position) {
      if (order[position] >= columns) continue;
      const size_t index = (k / layout.kr * layout.nr + position) * layout.kr + k % layout.kr;
      store_weight(layout, layer.weights[k * row_step + order[position]],
                   weights + index * layout.weight_bytes);
    }
  }
}

}  // namespace bitpose
