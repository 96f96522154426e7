// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>

#include "kernels/base/f32_vector.h"

/// Elementary functions in float32 with the same bits on every CPU, of vectors and of floats. No
/// libm but fmaf.
namespace bitpose {

/// exp(t) is a polynomial of degree 6, minimax in relative error (3.2e-9) with its first two
/// coefficients fixed at 1.
namespace exp_terms {

inline constexpr float kLow = -104.0f;   ///< exp(x) rounds to 0 from here down,
inline constexpr float kHigh = 89.0f;    ///< and to infinity from here up.
inline constexpr float kM1Low = -32.0f;  ///< exp(x) - 1 rounds to -1 from here down,
inline constexpr float kM1High = 1.0f;   ///< and nobody asks for it from here up.
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

/// Coefficients of minimax polynomials, the highest power first.
namespace terms {

/// (ln(1 + f) - f + f^2 / 2) / f^3 for 1 + f in [sqrt(1/2), sqrt(2)), to 7.7e-10 of ln(1 + f).
inline constexpr float kLog[] = {0x1.147294p-4f,  -0x1.de012ap-4f, 0x1.e6bfe8p-4f,
                                 -0x1.fc28d8p-4f, 0x1.233ba4p-3f,  -0x1.555c44p-3f,
                                 0x1.99a476p-3f,  -0x1.000006p-2f, 0x1.555548p-2f};
/// erf(x) / x - 1 by powers of x^2 for |x| < 1, to 1.4e-9 of erf(x).
inline constexpr float kErfNear[] = {0x1.4771fcp-14f, -0x1.a3515ep-11f, 0x1.53f224p-8f,
                                     -0x1.b7f71ap-6f, 0x1.ce2ce6p-4f,   -0x1.81273ep-2f,
                                     0x1.06eba8p-3f};
/// -ln(1 - erf(x)) - x for x in [1, 3.95], to 1.1e-9 of erf(x).
inline constexpr float kErfFar[] = {-0x1.86df06p-13f, 0x1.825ba0p-9f, -0x1.65cbb0p-6f,
                                    0x1.a65356p-4f,   0x1.46baeap-1f, 0x1.044758p-3f,
                                    0x1.661c82p-12f};

}  // namespace terms

namespace {

/// x = n ln 2 + t with |t| <= 0.3467.
template <typename V>
struct ExpArgument {
  V n, t;
};

/// Of x kept in [low, high].
template <typename V>
inline ExpArgument<V> reduce_exp(V x, float low, float high) {
  using namespace exp_terms;
  const V bounded = clamp_number(x, V::splat(low), V::splat(high));
  const V n = fma(bounded, V::splat(kLog2e), V::splat(kRound)) - V::splat(kRound);
  const V t = fma(n, V::splat(-kLn2High), bounded);
  return {n, fma(n, V::splat(-kLn2Low), t)};
}

/// (exp(t) - 1) / t.
template <typename V>
inline V exp_slope(V t) {
  using namespace exp_terms;
  V p = fma(V::splat(kC6), t, V::splat(kC5));
  p = fma(p, t, V::splat(kC4));
  p = fma(p, t, V::splat(kC3));
  p = fma(p, t, V::splat(kC2));
  return fma(p, t, V::splat(1.0f));
}

template <typename V>
inline V nan_where_nan(V x, V y) {
  return select(is_nan(x), V::splat(std::numeric_limits<float>::quiet_NaN()), y);
}

/// exp(x) = 2^n exp(t), at most 0.9 units in the last place off, also where it is subnormal. Zero
/// and infinity where the result rounds to them; NaN gives the NaN 0x7fc00000.
template <typename V>
inline V exp_f32(V x) {
  const auto [n, t] = reduce_exp(x, exp_terms::kLow, exp_terms::kHigh);
  // Of the two products in ldexp the first is exact.
  return nan_where_nan(x, ldexp(fma(exp_slope(t), t, V::splat(1.0f)), n));
}

/// exp(x) - 1 = 2^n (exp(t) - 1) + (2^n - 1) for x <= 1, to 1.9 units in the last place.
template <typename V>
inline V expm1_f32(V x) {
  const auto [n, t] = reduce_exp(x, exp_terms::kM1Low, exp_terms::kM1High);
  const V power = power_of_two(n);
  return nan_where_nan(x, fma(power, exp_slope(t) * t, power - V::splat(1.0f)));
}

template <typename V, size_t kTerms>
inline V polynomial(V x, const float (&coefficients)[kTerms]) {
  V p = V::splat(coefficients[0]);
#pragma GCC unroll 9
  for (size_t i = 1; i < kTerms; ++i) p = fma(p, x, V::splat(coefficients[i]));
  return p;
}

/// ln(x * 2^shift) for positive normal x = m 2^e: with f = m - 1, exact,
/// (e + shift) ln 2 + f + f^2 (f P(f) - 1/2).
template <typename V>
inline V log_normal(V x, V shift) {
  const auto [m, e] = binade(x);
  const V exponent = e + shift;
  const V f = m - V::splat(1.0f);
  const V rest = fma(polynomial(f, terms::kLog), f, V::splat(-0.5f));
  const V y = fma(f * f, rest, exponent * V::splat(exp_terms::kLn2Low)) + f;
  return fma(exponent, V::splat(exp_terms::kLn2High), y);
}

/// ln x to 0.8 units in the last place, also of subnormals; -inf for zeros, NaN for what is below.
template <typename V>
inline V log_f32(V x) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const V zero = V::splat(0.0f);
  const auto tiny = less(x, V::splat(0x1p-126f));
  V y = log_normal(select(tiny, x * V::splat(0x1p23f), x), select(tiny, V::splat(-23.0f), zero));
  y = select(less(x, V::splat(kInfinity)), y, x);
  const V nan = V::splat(std::numeric_limits<float>::quiet_NaN());
  const V below = select(less(x, zero), nan, V::splat(-kInfinity));
  return nan_where_nan(x, select(less(zero, x), y, below));
}

/// ln(1 + x) for 0 <= x <= 1, to 1.3 units in the last place: what the sum loses is made good.
template <typename V>
inline V log1p_f32(V x) {
  const V one = V::splat(1.0f);
  const V u = one + x;
  return log_normal(u, V::splat(0.0f)) + (x - (u - one)) / u;
}

/// 1 / (1 + exp(-x)), to 2.3 units in the last place.
template <typename V>
inline V sigmoid_f32(V x) {
  const V one = V::splat(1.0f);
  const V e = exp_f32(copysign(x, V::splat(-1.0f)));
  return select(less(x, V::splat(0.0f)), e, one) / (one + e);
}

/// -t / (t + 2) with t = exp(-2|x|) - 1, to 2.5 units in the last place.
template <typename V>
inline V tanh_f32(V x) {
  const V t = expm1_f32(abs(x) * V::splat(-2.0f));
  return copysign(t / (t + V::splat(2.0f)), x);
}

/// To 1.1 units in the last place.
template <typename V>
inline V erf_f32(V x) {
  const V t = abs(x);
  const V near = fma(polynomial(x * x, terms::kErfNear), x, x);
  const V bounded = min(V::splat(4.0f), t);
  const V exponent = polynomial(bounded, terms::kErfFar) + bounded;
  const V far = V::splat(1.0f) - exp_f32(exponent * V::splat(-1.0f));
  return select(less(t, V::splat(1.0f)), near, copysign(far, x));
}

inline float exp_f32(float x) { return exp_f32(F32x1{x}).v; }

}  // namespace
}  // namespace bitpose
