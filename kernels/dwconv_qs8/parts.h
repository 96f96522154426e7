// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

// The shape of groups of int8 weights, for the packer and the kernels. In an unnamed namespace: see
// kernels/base/requantize.h.
namespace bitpose {
namespace {

/// A group starts with the number of its parts as uint32, padded to this.
inline constexpr size_t kPartsHeader = 64;

/// Where weights stand in quads: channels of the group that `remaining` channels start with: 64
/// while there are so many, and what wastes little behind them.
inline size_t quad_group_width(size_t remaining) {
  if (remaining > 48) return 64;
  return remaining > 16 ? 32 : 16;
}

}  // namespace
}  // namespace bitpose
