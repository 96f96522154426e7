// SPDX-License-Identifier: Apache-2.0
#include "engine/model/crc32.h"

#include <array>
#include <bit>
#include <cstring>

namespace bitpose {
namespace {

constexpr uint32_t kPolynomial = 0xedb88320u;
constexpr size_t kSlices = 8;

using Tables = std::array<std::array<uint32_t, 256>, kSlices>;

// tables[s][b] is the remainder of byte b followed by s zero bytes, so that eight bytes are reduced
// by eight independent look-ups (Kounavis and Berry 2005, "A Systematic Approach to Building High
// Performance Software-based CRC Generators").
constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? kPolynomial : 0);
    }
    tables[0][byte] = remainder;
  }
  for (size_t slice = 1; slice < kSlices; ++slice) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t previous = tables[slice - 1][byte];
      tables[slice][byte] = (previous >> 8) ^ tables[0][previous & 255];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

static_assert(std::endian::native == std::endian::little);

uint32_t crc32(std::span<const std::byte> bytes, uint32_t before) {
  uint32_t crc = ~before;
  const std::byte* next = bytes.data();
  size_t left = bytes.size();
  for (; left >= kSlices; left -= kSlices, next += kSlices) {
    uint64_t word = 0;
    std::memcpy(&word, next, sizeof(word));
    word ^= crc;
    crc = 0;
    for (size_t i = 0; i < kSlices; ++i) crc ^= kTables[kSlices - 1 - i][(word >> (8 * i)) & 255];
  }
  for (; left > 0; --left, ++next) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<uint32_t>(*next)) & 255];
  }
  return ~crc;
}

}  // namespace bitpose
