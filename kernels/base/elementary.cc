// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/elementary.h"

#include <bit>
#include <cstdint>
#include <limits>
#include <utility>

namespace bitpose::elementary {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLn2High = 0x1.62e42feep-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kLog2e = 0x1.71547652b82fep+0;
constexpr double kSqrtHalf = 0x1.6a09e667f3bcdp-1;
constexpr double kHalfPi = 0x1.921fb54442d18p+0;
constexpr double kQuarterPi = 0x1.921fb54442d18p-1;

double abs(double x) { return __builtin_fabs(x); }
double sqrt(double x) { return __builtin_sqrt(x); }
double copysign(double x, double sign) { return __builtin_copysign(x, sign); }
bool is_nan(double x) { return x != x; }
bool is_infinite(double x) { return abs(x) == kInfinity; }
bool sign_bit(double x) { return std::bit_cast<uint64_t>(x) >> 63 != 0; }

/// The nearest integer of |x| < 2^51, the even one of two.
double rint(double x) {
  constexpr double kRound = 0x1.8p52;
  return x + kRound - kRound;
}

constexpr double factorial(int n) {
  double product = 1;
  for (int i = 2; i <= n; ++i) product *= i;
  return product;
}

/// 2^n for -1022 <= n <= 1023.
double power_of_two(int64_t n) {
  return std::bit_cast<double>(static_cast<uint64_t>(n + 1023) << 52);
}

/// x * 2^n, rounded once: the first product is exact.
double ldexp(double x, int64_t n) {
  const int64_t half = n >> 1;
  return x * power_of_two(half) * power_of_two(n - half);
}

struct Reduced {
  int64_t k;
  double p;  ///< e^r - 1, where x = k ln 2 + r.
};

Reduced reduced_expm1(double x) {
  double bounded = x < -746.0 ? -746.0 : x;
  bounded = bounded > 710.0 ? 710.0 : bounded;
  const double k = rint((is_nan(bounded) ? 0.0 : bounded) * kLog2e);
  const double high = bounded - k * kLn2High;
  const double low = k * kLn2Low;
  const double r = high - low;
  const double c = (high - r) - low;
  double tail = 1.0 / factorial(14);
  for (int n = 13; n > 1; --n) tail = tail * r + 1.0 / factorial(n);
  return {static_cast<int64_t>(k), r + r * (r * tail) + c};
}

double expm1(double x) {
  const auto [k, p] = reduced_expm1(x);
  return ldexp(p, k) + (ldexp(1.0, k) - 1.0);
}

double log1p(double u) {
  if (u == kInfinity) return u;
  const double w = 1.0 + u;
  return w == 1 ? u : log(w) * (u / (w - 1.0));
}

/// q in 0 .. 3 and r with |x| = q pi/2 + r modulo 2 pi.
struct Quadrant {
  unsigned q;
  double r;
};

Quadrant quadrant(double x) {
  static constexpr uint64_t kTwoOverPi[] = {0x00000000, 0xa2f9836e, 0x4e441529, 0xfc2757d1,
                                            0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};
  const double a = abs(x);
  if (a == kInfinity) return {0, kNan};
  if (!(a > kQuarterPi)) return {0, a};
  const auto bits = std::bit_cast<uint64_t>(a);
  // The mantissa without the bits that float32 does not have, and where the window starts.
  const uint64_t m = ((bits & 0xfffffffffffffu) | uint64_t{1} << 52) >> 29;
  const uint64_t start = (bits >> 52) - 1022 + (30 - 24);
  const uint64_t* t = kTwoOverPi + start / 32;
  const unsigned bit = start % 32;
  const uint64_t upper = t[0] << 32 | t[1];
  const uint64_t lower = t[2] << 32 | t[3];
  const uint64_t high = upper << bit | lower >> 1 >> (63 - bit);
  const uint64_t low = lower << bit >> 32;
  const uint64_t y = high * m + (low * m >> 32);
  const uint64_t q = (y + (uint64_t{1} << 61)) >> 62;
  const auto rest = static_cast<double>(static_cast<int64_t>(y - (q << 62)));
  return {static_cast<unsigned>(q), rest * (kHalfPi * 0x1p-62)};
}

double sin_series(double r) {
  const double z = r * r;
  double tail = -1.0 / factorial(15);
  for (int n = 13; n > 1; n -= 2) tail = tail * z + (n % 4 == 1 ? 1.0 : -1.0) / factorial(n);
  return r + r * (z * tail);
}

double cos_series(double r) {
  const double z = r * r;
  double tail = 1.0 / factorial(16);
  for (int n = 14; n > 0; n -= 2) tail = tail * z + (n % 4 == 0 ? 1.0 : -1.0) / factorial(n);
  return 1.0 + z * tail;
}

}  // namespace

double exp(double x) {
  const auto [k, p] = reduced_expm1(x);
  return ldexp(1.0 + p, k);
}

double log(double x) {
  if (x == 0) return -kInfinity;
  if (x == kInfinity) return x;
  if (!(x > 0)) return kNan;
  const auto bits = std::bit_cast<uint64_t>(x);
  auto e = static_cast<double>(static_cast<int64_t>(bits >> 52) - 1022);
  auto m = std::bit_cast<double>((bits & 0xfffffffffffffu) | uint64_t{1022} << 52);
  if (m < kSqrtHalf) {
    m *= 2.0;
    e -= 1.0;
  }
  const double f = m - 1.0;
  const double s = f / (m + 1.0);
  const double z = s * s;
  double rest = 1.0 / 25;
  for (int n = 11; n > 0; --n) rest = rest * z + 1.0 / (2 * n + 1);
  rest = 2.0 * z * rest;
  const double half = 0.5 * f * f;
  return e * kLn2High - ((half - (s * (half + rest) + e * kLn2Low)) - f);
}

double power(double x, double y) {
  const double a = abs(x);
  if (y == 0 || x == 1 || (a == 1 && is_infinite(y))) return 1.0;
  if (is_nan(x) || is_nan(y)) return kNan;
  const bool large = abs(y) >= 0x1p24;
  const bool whole = large || rint(y) == y;
  const bool odd = !large && whole && rint(y * 0.5) * 2.0 != y;
  if (x < 0 && !whole && !is_infinite(x)) return kNan;
  double magnitude = exp(y * log(a));
  if (const double n = abs(y); n == 1 || n == 2 || n == 3 || n == 4) {
    double product = a;
    for (int i = 1; i < static_cast<int>(n); ++i) product *= a;
    magnitude = y < 0 ? 1.0 / product : product;
  } else if (y == 0.5) {
    magnitude = sqrt(a);
  }
  return odd && sign_bit(x) ? -magnitude : magnitude;
}

double remainder(double x, double y) {
  const double a = abs(x);
  const double b = abs(y);
  if (is_nan(x) || is_nan(y) || a == kInfinity || b == 0) return kNan;
  if (a < b) return x;
  // m 2^e with the 24 bits of float32's mantissa, also of its subnormals.
  constexpr auto split = [](double v) {
    const auto bits = std::bit_cast<uint64_t>(v);
    return std::pair{((bits & 0xfffffffffffffu) | uint64_t{1} << 52) >> 29,
                     static_cast<int64_t>(bits >> 52)};
  };
  const auto [dividend, e] = split(a);
  const auto [divisor, last] = split(b);
  uint64_t rest = dividend % divisor;
  for (int64_t left = e - last; left > 0;) {
    const int64_t step = left < 32 ? left : 32;
    rest = (rest << step) % divisor;
    left -= step;
  }
  // The divisor is its mantissa times 2^(last - 1023 - 23).
  return copysign(static_cast<double>(rest) * power_of_two(last - 1023 - 23), x);
}

double sin(double x) {
  const auto [q, r] = quadrant(x);
  const double value = q % 2 == 1 ? cos_series(r) : sin_series(r);
  return sign_bit(x) != (q >= 2) ? -value : value;
}

double cos(double x) {
  const auto [q, r] = quadrant(x);
  const double value = q % 2 == 1 ? sin_series(r) : cos_series(r);
  return q == 1 || q == 2 ? -value : value;
}

double tan(double x) {
  const auto [q, r] = quadrant(x);
  const double sine = sin_series(r);
  const double cosine = cos_series(r);
  const double value = q % 2 == 1 ? -cosine / sine : sine / cosine;
  return sign_bit(x) ? -value : value;
}

double atan(double x) {
  const double a = abs(x);
  double t = a > 1 ? 1.0 / a : a;
  for (int i = 0; i < 2; ++i) t = t / (1.0 + sqrt(1.0 + t * t));
  const double z = t * t;
  double series = 1.0 / 23;
  for (int n = 10; n >= 0; --n) series = 1.0 / (2 * n + 1) - series * z;
  const double angle = 4.0 * (t * series);
  return copysign(a > 1 ? kHalfPi - angle : angle, x);
}

double asin(double x) { return atan(x / sqrt((1.0 - x) * (1.0 + x))); }
double acos(double x) { return 2.0 * atan(sqrt((1.0 - x) / (1.0 + x))); }

double sinh(double x) {
  const double a = abs(x);
  const double t = expm1(a > 200.0 ? 200.0 : a);
  return copysign(0.5 * (t + t / (t + 1.0)), x);
}

double cosh(double x) {
  const double a = abs(x);
  const double e = exp(a > 200.0 ? 200.0 : a);
  return 0.5 * (e + 1.0 / e);
}

double asinh(double x) {
  const double a = abs(x);
  const double b = 1.0 / a;
  return copysign(log1p(a + a / (b + sqrt(1.0 + b * b))), x);
}

double acosh(double x) {
  const double t = x - 1.0;
  return log1p(t + sqrt(t) * sqrt(t + 2.0));
}

double atanh(double x) {
  const double a = abs(x);
  return copysign(0.5 * log1p(2.0 * a / (1.0 - a)), x);
}

}  // namespace bitpose::elementary
