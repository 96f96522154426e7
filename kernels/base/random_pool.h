// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "kernels/base/pool_window.h"
#include "kernels/base/random.h"

namespace bitpose {

/// The windows of a pooling kernel's check, and how many elements they span.
struct RandomPool {
  PoolWindow window;
  size_t src_elements = 0;
  size_t dst_elements = 0;

  std::string text() const {
    return "m=" + std::to_string(window.m) + " kc=" + std::to_string(window.kc) +
           " kh=" + std::to_string(window.kh) + " kw=" + std::to_string(window.kw) +
           " tap_step=" + std::to_string(window.tap_step);
  }
};

/// A row of outputs of random windows. One in 8 has up to `most_taps` taps.
inline RandomPool random_pool(Random& random, size_t most_taps) {
  RandomPool pool;
  PoolWindow& w = pool.window;
  w.m = static_cast<size_t>(random.integer(0, 5));
  w.kc = static_cast<size_t>(random.integer(1, random.chance(2) ? 40 : 300));
  w.kh = static_cast<size_t>(random.integer(1, 4));
  w.kw = static_cast<size_t>(random.integer(1, 4));
  if (random.chance(8)) {
    w.kh = static_cast<size_t>(random.integer(1, 30));
    w.kw = static_cast<size_t>(random.integer(1, static_cast<int64_t>(most_taps / w.kh)));
    w.kc = static_cast<size_t>(random.integer(1, 70));
  }
  w.tap_step = w.kc + static_cast<size_t>(random.integer(0, 3));
  w.src_step = w.tap_step * static_cast<size_t>(random.integer(1, 3));
  w.row_step = w.kw * w.tap_step + w.m * w.src_step;
  w.dst_step = w.kc + static_cast<size_t>(random.integer(0, 3));
  if (w.m == 0) return pool;
  pool.src_elements =
      (w.m - 1) * w.src_step + (w.kh - 1) * w.row_step + (w.kw - 1) * w.tap_step + w.kc;
  pool.dst_elements = (w.m - 1) * w.dst_step + w.kc;
  return pool;
}

}  // namespace bitpose
