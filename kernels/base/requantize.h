// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/base/clamp.h"

namespace bitpose {

/// The output codes of an operator, int8 or int16: q = zero_point + rint(real / scale), kept in
/// [qmin, qmax]. An activation such as ReLU6 is part of qmin and qmax.
struct OutputRange {
  int32_t zero_point = 0;
  int32_t qmin = -128;
  int32_t qmax = 127;
};

namespace {

/// THE rounding of the library: every 8- and 16-bit result anywhere is this function of its
/// accumulator.
///
///   x = float(acc) * multiplier;  x = min(max(x, qmin - zp), qmax - zp);  q = int(rint(x)) + zp
///
/// Both the conversion and the product round once, to nearest even. The clamp comes before the
/// conversion to an integer because instruction sets differ in what they do with huge floats. A
/// kernel may clamp afterwards, in integers, where |acc * multiplier| < 2^31 has been proved:
/// rint is monotone and the bounds are integers, so the result is the same.
///
/// `acc` has been converted already: an accumulator of 16-bit codes need not fit int32.
///
/// In an unnamed namespace, so that no file compiled for a special instruction set can lend its
/// copy to the others.
inline int32_t requantize_rounded(float acc, float multiplier, const OutputRange& range) {
  float x = acc * multiplier;
  const auto low = static_cast<float>(range.qmin - range.zero_point);
  const auto high = static_cast<float>(range.qmax - range.zero_point);
  x = x > low ? x : low;
  x = x < high ? x : high;
  return static_cast<int32_t>(rintf(x)) + range.zero_point;
}

/// What stands in the place of `requantize` where nothing rounds the result to codes: real numbers.
inline float rescale(int32_t acc, float multiplier, float fmin, float fmax) {
  return clamp(static_cast<float>(acc) * multiplier, fmin, fmax);
}

inline int8_t requantize(int32_t acc, float multiplier, const OutputRange& range) {
  return static_cast<int8_t>(requantize_rounded(static_cast<float>(acc), multiplier, range));
}

}  // namespace
}  // namespace bitpose
