// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <limits>

#include "kernels/base/random.h"

namespace bitpose {

/// Numbers in [-limit, limit) for a kernel check. With `specials`, one in 20 has any bits: NaN,
/// infinities, zeros of both signs, subnormal and huge numbers.
inline std::vector<float> random_floats(Random& random, size_t count, float limit, bool specials) {
  constexpr float kRare[] = {0.0f, -0.0f, 0x1p-149f, -0x1p127f, 0x1p127f};
  std::vector<float> values(count);
  for (float& value : values) {
    value = random.real(-limit, limit);
    if (!specials || !random.chance(20)) continue;
    value = random.chance(2) ? kRare[random.integer(0, 4)]
                             : std::bit_cast<float>(static_cast<uint32_t>(random.next()));
    if (random.chance(4)) {
      const uint32_t sign = random.chance(2) ? 0x80000000u : 0u;
      value = std::bit_cast<float>(sign | (random.chance(2) ? 0x7f800000u : 0x7fc00000u));
    }
  }
  return values;
}

/// For results whose NaN bits are not defined.
inline void make_nan_canonical(std::vector<float>& values) {
  for (float& value : values) {
    if (value != value) value = std::numeric_limits<float>::quiet_NaN();
  }
}

}  // namespace bitpose
