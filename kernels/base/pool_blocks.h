// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/base/pool_window.h"

// The walk of vectorised pooling kernels. In an unnamed namespace: see requantize.h.
//
// A Block is a group of kWidth adjacent channels of one output, in registers:
//
//   Block(const Params& params, const T* first_tap)
//   void take(const T* tap)               for every tap, the first one included
//   void store(const Params& params, T* dst)
namespace bitpose {
namespace {

template <typename Block, typename Params, typename T>
inline void pool_block(const PoolWindow& window, const Params& params, const T* src, T* dst) {
  Block block(params, src);
  for (size_t y = 0; y < window.kh; ++y) {
    const T* tap = src + y * window.row_step;
    for (size_t x = 0; x < window.kw; ++x, tap += window.tap_step) block.take(tap);
  }
  block.store(params, dst);
}

/// Channels [k, kc) of one output, if kc fits a block. The last block reaches back over channels
/// that are done already.
template <typename Block, typename Params, typename T>
inline bool pool_rest(const PoolWindow& window, const Params& params, size_t k, const T* src,
                      T* dst) {
  if (window.kc < Block::kWidth) return false;
  const size_t last = window.kc - Block::kWidth;
  for (; k < window.kc; k += Block::kWidth) {
    const size_t first = k < last ? k : last;
    pool_block<Block>(window, params, src + first, dst + first);
  }
  return true;
}

/// All outputs: blocks of type Wide while they fit, and for the rest the first of `Narrower` that
/// fits kc. The last of those has width 1.
template <typename Wide, typename... Narrower, typename Params, typename T>
inline void pool_outputs(const PoolWindow& window, const Params& params, const T* src, T* dst) {
  for (size_t i = 0; i < window.m; ++i, src += window.src_step, dst += window.dst_step) {
    size_t k = 0;
    for (; k + Wide::kWidth <= window.kc; k += Wide::kWidth) {
      pool_block<Wide>(window, params, src + k, dst + k);
    }
    (void)(pool_rest<Narrower>(window, params, k, src, dst) || ...);
  }
}

struct NoParams {};

}  // namespace
}  // namespace bitpose
