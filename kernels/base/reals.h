// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/base/random.h"

/// Random floats for kernel checks.
namespace bitpose {

/// How unpleasant random floats are.
enum class Reals {
  kPlain,     ///< In [-1, 1).
  kFinite,    ///< One in eight a zero of either sign, a subnormal or a large number.
  kAnything,  ///< One in fifty, besides, infinite or NaN.
};

inline float real(Random& random, Reals kind) {
  constexpr float kFinite[] = {0.0f, -0.0f, 1e-40f, -1e-45f, 1e19f, -1e19f, 3e38f, 1e-30f};
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNotFinite[] = {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()};
  if (kind == Reals::kAnything && random.chance(50)) return kNotFinite[random.integer(0, 2)];
  if (kind != Reals::kPlain && random.chance(8)) return kFinite[random.integer(0, 7)];
  return random.real(-1.0f, 1.0f);
}

inline std::vector<float> reals(Random& random, size_t count, Reals kind) {
  std::vector<float> values(count);
  for (float& value : values) value = real(random, kind);
  return values;
}

/// The same values with one bit pattern for every NaN: which operand's payload an instruction hands
/// on differs between instruction sets.
inline std::vector<float> canonical_nans(std::vector<float> values) {
  for (float& value : values) {
    if (std::isnan(value)) value = std::numeric_limits<float>::quiet_NaN();
  }
  return values;
}

}  // namespace bitpose
