// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

// Vectors of floats under one face. A float family writes its loops once over a type V
// (kernels/<family>/vector.h), and <stem>.cc names the vector: F32x8 of f32_vector_avx2.h, F32x16
// of f32_vector_avx512.h, F32x4 of f32_vector_neon.h or F32x1.
//
//   V::kLanes                               how many floats
//   V::load(src), V::splat(value)           kLanes floats from memory, or the same one in each lane
//   V::load_partial(src, count)             count <= kLanes floats, zeros in the lanes behind them
//   x.store(dst), x.store_partial(dst, count)
//   + - * /, fma(a, b, c) = a * b + c       rounded once
//   max(a, b), min(a, b)                    a > b ? a : b, a < b ? a : b: where a lane is NaN or
//                                           both are zeros, the second
//   is_nan(x), less(a, b)                   masks; less is false where a lane is NaN
//   select(mask, a, b)                      mask ? a : b
//   abs(x), copysign(x, sign), sqrt(x)      the bits of the sign alone; rounded once
//   rint(x)                                 the nearest integer, the even one of two; -0.4 gives -0
//   power_of_two(n)                         2^n for integers -126 <= n <= 127
//   binade(x)                               {m, e}: x = m * 2^e with m in [sqrt(1/2), sqrt(2)), for
//                                           positive normal x
//   select_first(count, a, b)               the first count lanes of a, those behind of b
//   clamp_number(x, low, high)              x in [low, high], for bounds that are no zeros;
//                                           anything where x is NaN
//   ldexp(x, n)                             x * 2^n in two products, for integers -252 <= n <= 254
//                                           whose first product, with half of n, is exact
//   reduce_add(x)                           adds the upper half of the lanes to the lower, until
//                                           there is one
//   reduce_max(x)                           of numbers; of two zeros, any
//
// A vector has those that its kernels use. F32x1 is the specification: in each lane every vector
// has its bits, but for the payload of a NaN.
//
// In unnamed namespaces: see requantize.h.
namespace bitpose {
namespace {

/// m * 2^e.
template <typename V>
struct Binade {
  V m, e;
};

/// The bits of sqrt(1/2).
inline constexpr uint32_t kSqrtHalf = 0x3f3504f3;

struct F32x1 {
  static constexpr size_t kLanes = 1;
  float v;

  static F32x1 load(const float* src) { return {*src}; }
  static F32x1 splat(float value) { return {value}; }
  void store(float* dst) const { *dst = v; }
};

inline F32x1 operator+(F32x1 a, F32x1 b) { return {a.v + b.v}; }
inline F32x1 operator-(F32x1 a, F32x1 b) { return {a.v - b.v}; }
inline F32x1 operator*(F32x1 a, F32x1 b) { return {a.v * b.v}; }
inline F32x1 operator/(F32x1 a, F32x1 b) { return {a.v / b.v}; }
inline F32x1 fma(F32x1 a, F32x1 b, F32x1 c) { return {__builtin_fmaf(a.v, b.v, c.v)}; }
inline F32x1 max(F32x1 a, F32x1 b) { return a.v > b.v ? a : b; }
inline F32x1 min(F32x1 a, F32x1 b) { return a.v < b.v ? a : b; }
inline bool is_nan(F32x1 x) { return x.v != x.v; }
inline bool less(F32x1 a, F32x1 b) { return a.v < b.v; }
inline F32x1 select(bool mask, F32x1 a, F32x1 b) { return mask ? a : b; }
inline F32x1 abs(F32x1 x) { return {__builtin_fabsf(x.v)}; }
inline F32x1 copysign(F32x1 x, F32x1 sign) { return {__builtin_copysignf(x.v, sign.v)}; }
inline F32x1 sqrt(F32x1 x) { return {__builtin_sqrtf(x.v)}; }
inline F32x1 rint(F32x1 x) { return {__builtin_rintf(x.v)}; }
inline F32x1 clamp_number(F32x1 x, F32x1 low, F32x1 high) { return min(max(x, low), high); }

inline F32x1 power_of_two(int32_t n) {
  return {std::bit_cast<float>(static_cast<uint32_t>(n + 127) << 23)};
}
inline F32x1 power_of_two(F32x1 n) { return power_of_two(static_cast<int32_t>(n.v)); }

inline F32x1 ldexp(F32x1 x, F32x1 n) {
  const auto exponent = static_cast<int32_t>(n.v);
  const int32_t half = exponent >> 1;
  return x * power_of_two(half) * power_of_two(exponent - half);
}

inline Binade<F32x1> binade(F32x1 x) {
  const auto bits = std::bit_cast<uint32_t>(x.v);
  const int32_t e = static_cast<int32_t>(bits - kSqrtHalf) >> 23;
  return {{std::bit_cast<float>(bits - (static_cast<uint32_t>(e) << 23))}, {static_cast<float>(e)}};
}

/// The clamp of kernels/base/clamp.h: NaN stays NaN, and a zero keeps its sign where the bound is a
/// zero of the other sign.
template <typename V>
inline V clamp(V x, V fmin, V fmax) {
  return min(fmax, max(fmin, x));
}

}  // namespace
}  // namespace bitpose
