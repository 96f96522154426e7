// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>

#include "kernels/base/f32_vector.h"

/// Elementary functions in float32 with the same bits on every CPU, of vectors and of floats. No
/// libm but fmaf.
namespace bitpose {

/// exp(x) = 2^n * exp(t) with n = rint(x / ln 2) and t = x - n * ln 2, |t| <= 0.3467.
///
/// exp(t) is a polynomial of degree 6, minimax in relative error (3.2e-9) with its first two
/// coefficients fixed at 1.
namespace exp_terms {

inline constexpr float kLow = -104.0f;  ///< exp(x) rounds to 0 from here down,
inline constexpr float kHigh = 89.0f;   ///< and to infinity from here up.
inline constexpr float kLog2e = 0x1.715476p+0f;
inline constexpr float kLn2High = 0x1.62e430p-1f;
inline constexpr float kLn2Low = -0x1.05c610p-29f;
inline constexpr float kRound = 0x1.8p23f;  ///< Adding and subtracting it rounds to an integer.
inline constexpr float kC2 = 0x1.fffffcp-2f;
inline constexpr float kC3 = 0x1.555492p-3f;
inline constexpr float kC4 = 0x1.5558b2p-5f;
inline constexpr float kC5 = 0x1.12398ep-7f;
inline constexpr float kC6 = 0x1.6a4b36p-10f;

}  // namespace exp_terms

namespace {

/// exp(x), at most 0.9 units in the last place off, also where it is subnormal. Zero and infinity
/// where the result rounds to them; NaN gives the NaN 0x7fc00000.
template <typename V>
inline V exp_f32(V x) {
  using namespace exp_terms;
  const V bounded = clamp_number(x, V::splat(kLow), V::splat(kHigh));
  const V n = fma(bounded, V::splat(kLog2e), V::splat(kRound)) - V::splat(kRound);
  V t = fma(n, V::splat(-kLn2High), bounded);
  t = fma(n, V::splat(-kLn2Low), t);
  V p = fma(V::splat(kC6), t, V::splat(kC5));
  p = fma(p, t, V::splat(kC4));
  p = fma(p, t, V::splat(kC3));
  p = fma(p, t, V::splat(kC2));
  p = fma(p, t, V::splat(1.0f));
  p = fma(p, t, V::splat(1.0f));
  // Of the two products in ldexp the first is exact.
  const V nan = V::splat(std::numeric_limits<float>::quiet_NaN());
  return select(is_nan(x), nan, ldexp(p, n));
}

inline float exp_f32(float x) { return exp_f32(F32x1{x}).v; }

}  // namespace
}  // namespace bitpose
