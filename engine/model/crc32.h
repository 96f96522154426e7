// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bitpose {

/// CRC-32 as zlib and PNG define it (reflected polynomial 0xedb88320, all ones before and after).
/// Pass the result of the bytes before to continue.
uint32_t crc32(std::span<const std::byte> bytes, uint32_t before = 0);

}  // namespace bitpose
