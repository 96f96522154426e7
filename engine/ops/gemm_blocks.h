// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>

#include "engine/runtime/thread_pool.h"

/// How the results of a GEMM are divided into tasks: blocks of rows times groups of panels.
namespace bitpose {

struct GemmBlock {
  size_t first_row, rows;
  size_t first_panel, end_panel;
};

/// Rows of a block: enough for whole register tiles of `mr` rows, few enough that their inputs, of
/// `row_bytes` each, stay in `cache_bytes` while every panel passes over them.
inline size_t rows_per_block(size_t mr, size_t row_bytes, size_t cache_bytes) {
  constexpr size_t kMost = 128;
  const size_t rows = std::min(kMost, cache_bytes / row_bytes);
  return std::max<size_t>(1, rows / mr) * mr;
}

/// Calls `function(block, thread)` for blocks of at most `block_rows` rows that together cover
/// `rows` x `panels`.
template <typename F>
void for_each_block(ThreadPool* pool, size_t rows, size_t block_rows, size_t panels,
                    const F& function) {
  if (rows == 0) return;
  const size_t blocks = (rows + block_rows - 1) / block_rows;
  // Few blocks of rows are split by panels as well, so that every thread gets work.
  const size_t threads = pool->threads();
  const size_t groups =
      threads == 1 ? 1 : std::min(panels, std::max<size_t>(1, 4 * threads / blocks));
  pool->parallel_for(blocks * groups, [&](size_t task, size_t thread) {
    const size_t first_row = task / groups * block_rows;
    const size_t group = task % groups;
    function(GemmBlock{first_row, std::min(block_rows, rows - first_row), group * panels / groups,
                       (group + 1) * panels / groups},
             thread);
  });
}

}  // namespace bitpose
