// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/model/tensor.h"
#include "engine/ops/broadcast.h"

/// Integers of every dtype in int64, block by block, so that an operator has one loop for all.
namespace bitpose {

inline constexpr size_t kIntegerBlock = 256;

/// The elements [first, first + n) of int8, uint8, int16, int32, int64 or bool (0 or 1).
void load_integers(DType dtype, const void* src, size_t first, size_t n, int64_t* dst);

/// Writes the elements [first, first + n) of int8, uint8, int16, int32, int64, which wrap, or bool:
/// whether the integer is not 0.
void store_integers(DType dtype, const int64_t* src, size_t n, void* dst, size_t first);

/// Calls `function(first, n, a, b)` for each block of the rows of `walk`: the blocks of both
/// operands and where their result begins.
template <typename Function>
void for_each_integer_block(BroadcastWalk& walk, DType dtype, const void* a, const void* b,
                            const Function& function) {
  int64_t from_a[kIntegerBlock];
  int64_t from_b[kIntegerBlock];
  const auto load = [dtype](const void* src, size_t first, size_t n, bool advances, int64_t* dst) {
    load_integers(dtype, src, first, advances ? n : 1, dst);
    if (!advances) std::fill_n(dst + 1, n - 1, dst[0]);
  };
  for (BroadcastRow row; walk.next(&row);) {
    for (size_t i = 0; i < row.n; i += kIntegerBlock) {
      const size_t n = std::min(kIntegerBlock, row.n - i);
      load(a, row.a + (row.a_advances ? i : 0), n, row.a_advances, from_a);
      load(b, row.b + (row.b_advances ? i : 0), n, row.b_advances, from_b);
      function(row.dst + i, n, from_a, from_b);
    }
  }
}

}  // namespace bitpose
