// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>

#include "engine/runtime/thread_pool.h"

namespace bitpose {

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
