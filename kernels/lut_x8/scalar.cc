// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "kernels/lut_x8/lut_x8.h"

namespace bitpose {

void lut_x8_1__scalar(size_t n, const uint8_t* src, const uint8_t* table, uint8_t* dst) {
  for (size_t i = 0; i < n; ++i) dst[i] = table[src[i]];
}

void lut_x8_xor__scalar(size_t n, const uint8_t* src, const uint8_t* table, uint8_t* dst) {
  const uint8_t mask = table[0];
  size_t i = 0;
  // Through a local block, which overlaps nothing, so that compilers vectorise this loop.
  for (uint8_t block[64]; i + sizeof(block) <= n; i += sizeof(block)) {
    std::memcpy(block, src + i, sizeof(block));
    for (uint8_t& byte : block) byte ^= mask;
    std::memcpy(dst + i, block, sizeof(block));
  }
  for (; i < n; ++i) dst[i] = src[i] ^ mask;
}

}  // namespace bitpose
