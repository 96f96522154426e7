// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/runtime/thread_pool.h"

namespace bitpose {

/// Grains of operators whose time is that of memory: what is worth handing to another thread.
inline constexpr size_t kElementwiseGrain = 65536;  ///< Elements of a vectorized function.
inline constexpr size_t kCopyGrain = 16384;         ///< Bytes that are moved.

/// The grain of items of `item_work` each, of which `task_work` is worth handing to another thread.
inline size_t items_per_task(uint64_t task_work, uint64_t item_work) {
  const uint64_t items = task_work / std::max<uint64_t>(1, item_work);
  return static_cast<size_t>(std::max<uint64_t>(1, items));
}

/// Calls `function(begin, end, thread)` for ranges that together cover [0, count), on the threads
/// of `pool`. Ranges start at multiples of `grain` and, where there is enough work, there are a few
/// per thread so that a slow thread takes fewer.
template <typename F>
void parallel_ranges(ThreadPool* pool, size_t count, size_t grain, const F& function) {
  if (count == 0) return;
  const size_t ranges_per_thread = pool->threads() == 1 ? 1 : 4;
  const size_t grains = (count + grain - 1) / grain;
  const size_t ranges = std::min(grains, pool->threads() * ranges_per_thread);
  const size_t length = (grains + ranges - 1) / ranges * grain;
  pool->parallel_for((count + length - 1) / length, [&](size_t index, size_t thread) {
    function(index * length, std::min(count, (index + 1) * length), thread);
  });
}

}  // namespace bitpose
