// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

// Groups of channels whose weights are int8, for the packer and the kernels. In an unnamed
// namespace: see kernels/base/requantize.h.
namespace bitpose {
namespace {

/// A group starts with the number of its parts as uint32, padded to this.
inline constexpr size_t kPartsHeader = 64;

/// Packed constants of a group of WIDTH channels.
template <size_t WIDTH>
struct Group {
  const int32_t* bias;
  const float* multiplier;
  const int8_t* weights;
  size_t parts;  ///< Weights are sums of that many int8.

  explicit Group(const std::byte* group)
      : bias(reinterpret_cast<const int32_t*>(group + kPartsHeader)),
        multiplier(reinterpret_cast<const float*>(bias + WIDTH)),
        weights(reinterpret_cast<const int8_t*>(multiplier + WIDTH)),
        parts(*reinterpret_cast<const uint32_t*>(group)) {}

  /// Where the next group starts, if a part has `taps` weights for each channel.
  const std::byte* end(size_t taps) const {
    return reinterpret_cast<const std::byte*>(weights + parts * taps * WIDTH);
  }
};

/// Where weights stand in quads: channels of the group that `remaining` channels start with.
inline size_t quad_group_width(size_t remaining) {
  if (remaining > 32) return 64;
  return remaining > 16 ? 32 : 16;
}

}  // namespace
}  // namespace bitpose
