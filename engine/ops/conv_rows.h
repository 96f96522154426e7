// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>

#include "engine/ops/conv_geometry.h"
#include "engine/runtime/parallel.h"

namespace bitpose {

/// Output rows [first, end) of one picture.
struct ConvRows {
  size_t picture, first, end;
};

/// Calls `function(rows, thread)` for rows that together cover the output of a depthwise
/// convolution, on the threads of `pool`. Rows come in units of `unit` rows, but for the last of a
/// picture. `task_macs` multiply-accumulates are worth handing to another thread.
template <typename F>
void for_each_rows(ThreadPool* pool, const ConvGeometry& g, size_t unit, size_t channels,
                   size_t task_macs, const F& function) {
  const size_t units = (g.output_h + unit - 1) / unit;
  const size_t grain = items_per_task(task_macs, unit * g.output_w * channels * g.taps());
  parallel_ranges(pool, g.batch * units, grain, [&](size_t begin, size_t end, size_t thread) {
    while (begin < end) {
      const size_t first = begin % units;
      const size_t last = std::min(units, first + (end - begin));
      function(ConvRows{begin / units, first * unit, std::min(last * unit, g.output_h)}, thread);
      begin += last - first;
    }
  });
}

}  // namespace bitpose
