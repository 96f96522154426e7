// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/base/requantize.h"

namespace bitpose {
namespace {

/// The code of a number, as QuantizeLinear rounds:
///
///   x = value / scale;  x = min(max(x, qmin - zp), qmax - zp);  q = int(rint(x)) + zp
///
/// in float32, where max(x, low) is `x > low ? x : low`: NaN becomes qmin. In an unnamed namespace:
/// see requantize.h.
inline int32_t quantize(float value, float scale, const OutputRange& range) {
  const auto low = static_cast<float>(range.qmin - range.zero_point);
  const auto high = static_cast<float>(range.qmax - range.zero_point);
  float x = value / scale;
  x = x > low ? x : low;
  x = x < high ? x : high;
  return static_cast<int32_t>(rintf(x)) + range.zero_point;
}

}  // namespace
}  // namespace bitpose
