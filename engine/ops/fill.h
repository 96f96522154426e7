// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bitpose {

template <typename Word>
void fill_words(std::byte* dst, size_t n, const std::byte* element) {
  Word value;
  std::memcpy(&value, element, sizeof(Word));
  std::fill_n(reinterpret_cast<Word*>(dst), n, value);
}

/// Writes `n` copies of the element of `bytes` = 1, 2, 4 or 8 bytes; `dst` is aligned to it.
inline void fill_elements(std::byte* dst, size_t n, const std::byte* element, size_t bytes) {
  switch (bytes) {
    case 1:
      return fill_words<uint8_t>(dst, n, element);
    case 2:
      return fill_words<uint16_t>(dst, n, element);
    case 4:
      return fill_words<uint32_t>(dst, n, element);
    default:
      return fill_words<uint64_t>(dst, n, element);
  }
}

}  // namespace bitpose
