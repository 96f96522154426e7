// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <immintrin.h>

#include "kernels/base/f32_vector.h"

// For files compiled with AVX2 and FMA only: everything is in an unnamed namespace.
namespace bitpose {
namespace {

/// For what is narrower than 8 floats.
struct F32x4 {
  static constexpr size_t kLanes = 4;
  __m128 v;

  static F32x4 load(const float* src) { return {_mm_loadu_ps(src)}; }
  static F32x4 splat(float value) { return {_mm_set1_ps(value)}; }
  void store(float* dst) const { _mm_storeu_ps(dst, v); }
};

inline F32x4 operator+(F32x4 a, F32x4 b) { return {_mm_add_ps(a.v, b.v)}; }
inline F32x4 operator-(F32x4 a, F32x4 b) { return {_mm_sub_ps(a.v, b.v)}; }
inline F32x4 operator/(F32x4 a, F32x4 b) { return {_mm_div_ps(a.v, b.v)}; }
inline F32x4 fma(F32x4 a, F32x4 b, F32x4 c) { return {_mm_fmadd_ps(a.v, b.v, c.v)}; }
inline F32x4 max(F32x4 a, F32x4 b) { return {_mm_max_ps(a.v, b.v)}; }

/// All ones in the first `count` lanes.
inline __m256i lanes_below(size_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

struct F32x8 {
  static constexpr size_t kLanes = 8;
  __m256 v;

  static F32x8 load(const float* src) { return {_mm256_loadu_ps(src)}; }
  static F32x8 splat(float value) { return {_mm256_set1_ps(value)}; }
  static F32x8 load_partial(const float* src, size_t count) {
    return {_mm256_maskload_ps(src, lanes_below(count))};
  }
  void store(float* dst) const { _mm256_storeu_ps(dst, v); }
  /// vmaskmovps to memory is microcoded on some cores.
  void store_partial(float* dst, size_t count) const {
    if (count >= kLanes) return store(dst);
    __m128 rest = _mm256_castps256_ps128(v);
    if ((count & 4) != 0) {
      _mm_storeu_ps(dst, rest);
      rest = _mm256_extractf128_ps(v, 1);
      dst += 4;
    }
    if ((count & 2) != 0) {
      _mm_storel_pi(reinterpret_cast<__m64*>(dst), rest);
      rest = _mm_movehl_ps(rest, rest);
      dst += 2;
    }
    if ((count & 1) != 0) _mm_store_ss(dst, rest);
  }
};

inline F32x8 operator+(F32x8 a, F32x8 b) { return {_mm256_add_ps(a.v, b.v)}; }
inline F32x8 operator-(F32x8 a, F32x8 b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline F32x8 operator*(F32x8 a, F32x8 b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline F32x8 operator/(F32x8 a, F32x8 b) { return {_mm256_div_ps(a.v, b.v)}; }
inline F32x8 fma(F32x8 a, F32x8 b, F32x8 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline F32x8 max(F32x8 a, F32x8 b) { return {_mm256_max_ps(a.v, b.v)}; }
inline F32x8 min(F32x8 a, F32x8 b) { return {_mm256_min_ps(a.v, b.v)}; }
inline __m256 is_nan(F32x8 x) { return _mm256_cmp_ps(x.v, x.v, _CMP_UNORD_Q); }
inline __m256 less(F32x8 a, F32x8 b) { return _mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ); }
inline F32x8 select(__m256 mask, F32x8 a, F32x8 b) { return {_mm256_blendv_ps(b.v, a.v, mask)}; }
inline F32x8 select_first(size_t count, F32x8 a, F32x8 b) {
  return select(_mm256_castsi256_ps(lanes_below(count)), a, b);
}
inline F32x8 abs(F32x8 x) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), x.v)}; }
inline F32x8 copysign(F32x8 x, F32x8 sign) {
  return {_mm256_or_ps(abs(x).v, _mm256_and_ps(_mm256_set1_ps(-0.0f), sign.v))};
}
inline F32x8 sqrt(F32x8 x) { return {_mm256_sqrt_ps(x.v)}; }
inline F32x8 rint(F32x8 x) {
  return {_mm256_round_ps(x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline F32x8 clamp_number(F32x8 x, F32x8 low, F32x8 high) { return min(max(x, low), high); }

inline F32x8 power_of_two(__m256i n) {
  n = _mm256_add_epi32(n, _mm256_set1_epi32(127));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(n, 23))};
}
inline F32x8 power_of_two(F32x8 n) { return power_of_two(_mm256_cvttps_epi32(n.v)); }

inline F32x8 ldexp(F32x8 x, F32x8 n) {
  const __m256i exponent = _mm256_cvttps_epi32(n.v);
  const __m256i half = _mm256_srai_epi32(exponent, 1);
  return x * power_of_two(half) * power_of_two(_mm256_sub_epi32(exponent, half));
}

inline Binade<F32x8> binade(F32x8 x) {
  const __m256i bits = _mm256_castps_si256(x.v);
  const __m256i e =
      _mm256_srai_epi32(_mm256_sub_epi32(bits, _mm256_set1_epi32(static_cast<int>(kSqrtHalf))), 23);
  return {{_mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_slli_epi32(e, 23)))},
          {_mm256_cvtepi32_ps(e)}};
}

inline float reduce_add(F32x8 x) {
  const __m128 v4 = _mm_add_ps(_mm256_castps256_ps128(x.v), _mm256_extractf128_ps(x.v, 1));
  const __m128 v2 = _mm_add_ps(v4, _mm_movehl_ps(v4, v4));
  return _mm_cvtss_f32(_mm_add_ss(v2, _mm_movehdup_ps(v2)));
}

inline float reduce_max(F32x8 x) {
  const __m128 v4 = _mm_max_ps(_mm256_castps256_ps128(x.v), _mm256_extractf128_ps(x.v, 1));
  const __m128 v2 = _mm_max_ps(v4, _mm_movehl_ps(v4, v4));
  return _mm_cvtss_f32(_mm_max_ss(v2, _mm_movehdup_ps(v2)));
}

}  // namespace
}  // namespace bitpose
