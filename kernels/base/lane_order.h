// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace bitpose {

/// The column that stands at `position` of a packed panel of `nr` columns, for kernels whose int32
/// vectors have `lanes` lanes of 128 bits.
///
/// Narrowing int32 to int8 packs within 128-bit lanes: G accumulator vectors of L lanes come out as
/// 4 values of vector 0, 4 of vector 1, ... per lane. Element 4i+t of vector j therefore carries
/// column 4*G*i + 4*j + t of its group of G vectors. Groups have G = 4 vectors while so many are
/// left, then 2, then 1; with L = 1 the order is the natural one.
inline uint32_t lane_order(uint32_t nr, uint32_t lanes, uint32_t position) {
  const uint32_t width = 4 * lanes;
  const uint32_t vectors = nr / width;
  const uint32_t vector = position / width;
  if (lanes == 1 || vector >= vectors) return position;
  uint32_t first = 0;
  uint32_t group = 4;
  while (true) {
    while (group > vectors - first) group /= 2;
    if (vector < first + group) break;
    first += group;
  }
  const uint32_t element = position % width;
  return first * width + 4 * group * (element / 4) + 4 * (vector - first) + element % 4;
}

}  // namespace bitpose
