// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>

namespace bitpose {

/// `count` runs of bytes, each `stride` bytes behind the one before.
struct Runs {
  size_t count;
  ptrdiff_t stride;
};

template <size_t BYTES>
inline void copy_runs_of(std::byte* dst, ptrdiff_t dst_stride, const std::byte* src,
                         const Runs& runs) {
  for (size_t i = 0; i < runs.count; ++i, dst += dst_stride, src += runs.stride) {
    std::memcpy(dst, src, BYTES);
  }
}

/// Copies runs of `bytes` bytes from `src` to runs at `dst`, `dst_stride` bytes apart. Runs of one
/// element are single moves: a call of memcpy for each would take most of the time.
inline void copy_runs(std::byte* dst, ptrdiff_t dst_stride, const std::byte* src, const Runs& runs,
                      size_t bytes) {
  switch (bytes) {
    case 1:
      return copy_runs_of<1>(dst, dst_stride, src, runs);
    case 2:
      return copy_runs_of<2>(dst, dst_stride, src, runs);
    case 4:
      return copy_runs_of<4>(dst, dst_stride, src, runs);
    case 8:
      return copy_runs_of<8>(dst, dst_stride, src, runs);
    case 16:
      return copy_runs_of<16>(dst, dst_stride, src, runs);
    default:
      for (size_t i = 0; i < runs.count; ++i, dst += dst_stride, src += runs.stride) {
        std::memcpy(dst, src, bytes);
      }
  }
}

}  // namespace bitpose
