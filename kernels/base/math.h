// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

/// Elementary functions in float32 with the same bits on every CPU. No libm but fmaf.
namespace bitpose {

/// exp(x) = 2^n * exp(t) with n = rint(x / ln 2) and t = x - n * ln 2, |t| <= 0.3467.
///
/// exp(t) is a polynomial of degree 6, minimax in relative error (3.2e-9) with its first two
/// coefficients fixed at 1. Vector kernels evaluate the same operations in the same order.
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

/// 2^n for -126 <= n <= 127.
inline float power_of_two(int32_t n) {
  return std::bit_cast<float>(static_cast<uint32_t>(n + 127) << 23);
}

/// exp(x), at most 0.9 units in the last place off, also where it is subnormal. Zero and infinity
/// where the result rounds to them; NaN gives the NaN 0x7fc00000.
inline float exp_f32(float x) {
  using namespace exp_terms;
  if (x != x) return std::numeric_limits<float>::quiet_NaN();
  x = x > kLow ? x : kLow;
  x = x < kHigh ? x : kHigh;
  const float n = fmaf(x, kLog2e, kRound) - kRound;
  float t = fmaf(n, -kLn2High, x);
  t = fmaf(n, -kLn2Low, t);
  float p = fmaf(kC6, t, kC5);
  p = fmaf(p, t, kC4);
  p = fmaf(p, t, kC3);
  p = fmaf(p, t, kC2);
  p = fmaf(p, t, 1.0f);
  p = fmaf(p, t, 1.0f);
  // Two factors keep both powers of two normal; the first product is exact.
  const auto exponent = static_cast<int32_t>(n);
  const int32_t half = exponent >> 1;
  return p * power_of_two(half) * power_of_two(exponent - half);
}

}  // namespace
}  // namespace bitpose
