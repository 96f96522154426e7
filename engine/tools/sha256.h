// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace bitpose {

/// SHA-256 (FIPS 180-4) of bytes that are given piece by piece.
class Sha256 {
 public:
  void update(std::span<const std::byte> bytes);
  /// The digest in lower-case hexadecimal. Nothing may follow.
  std::string hex();

 private:
  void compress(const uint8_t* block);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> block_{};
  uint64_t bytes_ = 0;
};

}  // namespace bitpose
