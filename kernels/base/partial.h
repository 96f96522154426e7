// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

// Ends of vectors, for kernels that may neither read nor write behind them. In an unnamed
// namespace: see requantize.h.
namespace bitpose {
namespace {

/// The first `count` <= 8 bytes at `src` as a little-endian word, zeros behind them.
inline uint64_t load_up_to_8(const void* src, size_t count) {
  uint64_t word = 0;
  if (count == 8) {
    __builtin_memcpy(&word, src, 8);
  } else {
    __builtin_memcpy(&word, src, count);
  }
  return word;
}

/// Writes the first `count` <= 8 bytes of `word`.
inline void store_up_to_8(void* dst, uint64_t word, size_t count) {
  if (count == 8) {
    __builtin_memcpy(dst, &word, 8);
  } else {
    __builtin_memcpy(dst, &word, count);
  }
}

}  // namespace
}  // namespace bitpose
