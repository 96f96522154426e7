// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/base/random.h"
#include "kernels/base/requantize.h"

namespace bitpose {

/// An output range for a kernel check: any zero point, and in half of the cases any clamp.
inline OutputRange random_range(Random& random) {
  OutputRange range;
  range.zero_point = static_cast<int32_t>(random.integer(-128, 127));
  if (random.chance(2)) {
    range.qmin = static_cast<int32_t>(random.integer(-128, 127));
    range.qmax = static_cast<int32_t>(random.integer(range.qmin, 127));
  }
  return range;
}

/// The same for int16.
inline OutputRange random_range16(Random& random) {
  OutputRange range{0, -32768, 32767};
  if (random.chance(2)) range.zero_point = static_cast<int32_t>(random.integer(-32768, 32767));
  if (random.chance(2)) {
    range.qmin = static_cast<int32_t>(random.integer(-32768, 32767));
    range.qmax = static_cast<int32_t>(random.integer(range.qmin, 32767));
  }
  return range;
}

}  // namespace bitpose
