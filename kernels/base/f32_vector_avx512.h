// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/base/f32_vector_avx2.h"

// For files compiled with AVX512 only: everything is in an unnamed namespace.
namespace bitpose {
namespace {

struct F32x16 {
  static constexpr size_t kLanes = 16;
  __m512 v;

  static F32x16 load(const float* src) { return {_mm512_loadu_ps(src)}; }
  static F32x16 splat(float value) { return {_mm512_set1_ps(value)}; }
  static F32x16 load_partial(const float* src, size_t count) {
    return {_mm512_maskz_loadu_ps(first(count), src)};
  }
  void store(float* dst) const { _mm512_storeu_ps(dst, v); }
  void store_partial(float* dst, size_t count) const {
    _mm512_mask_storeu_ps(dst, first(count), v);
  }

  /// The first `count` lanes, at most 16.
  static __mmask16 first(size_t count) { return static_cast<__mmask16>((1u << count) - 1); }
};

inline F32x16 operator+(F32x16 a, F32x16 b) { return {_mm512_add_ps(a.v, b.v)}; }
inline F32x16 operator-(F32x16 a, F32x16 b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline F32x16 operator*(F32x16 a, F32x16 b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline F32x16 operator/(F32x16 a, F32x16 b) { return {_mm512_div_ps(a.v, b.v)}; }

inline F32x16 fma(F32x16 a, F32x16 b, F32x16 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline F32x16 max(F32x16 a, F32x16 b) { return {_mm512_max_ps(a.v, b.v)}; }
inline F32x16 min(F32x16 a, F32x16 b) { return {_mm512_min_ps(a.v, b.v)}; }
inline __mmask16 is_nan(F32x16 x) { return _mm512_cmp_ps_mask(x.v, x.v, _CMP_UNORD_Q); }
inline __mmask16 less(F32x16 a, F32x16 b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ); }
inline F32x16 select(__mmask16 mask, F32x16 a, F32x16 b) {
  return {_mm512_mask_blend_ps(mask, b.v, a.v)};
}
inline F32x16 select_first(size_t count, F32x16 a, F32x16 b) {
  return select(F32x16::first(count), a, b);
}
inline F32x16 abs(F32x16 x) { return {_mm512_abs_ps(x.v)}; }
inline F32x16 copysign(F32x16 x, F32x16 sign) {
  constexpr int kFirstChooses = 0xca;  // Bit by bit: first ? second : third.
  return {_mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_set1_epi32(INT32_MIN),
                                                        _mm512_castps_si512(sign.v),
                                                        _mm512_castps_si512(x.v), kFirstChooses))};
}
inline F32x16 sqrt(F32x16 x) { return {_mm512_sqrt_ps(x.v)}; }
inline F32x16 rint(F32x16 x) {
  return {_mm512_roundscale_ps(x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline F32x16 clamp_number(F32x16 x, F32x16 low, F32x16 high) { return min(max(x, low), high); }

// VSCALEFPS rounds once, as two products do of which the first is exact.
inline F32x16 power_of_two(F32x16 n) { return {_mm512_scalef_ps(_mm512_set1_ps(1.0f), n.v)}; }
inline F32x16 ldexp(F32x16 x, F32x16 n) { return {_mm512_scalef_ps(x.v, n.v)}; }

inline Binade<F32x16> binade(F32x16 x) {
  const __m512i bits = _mm512_castps_si512(x.v);
  const __m512i e =
      _mm512_srai_epi32(_mm512_sub_epi32(bits, _mm512_set1_epi32(static_cast<int>(kSqrtHalf))), 23);
  return {{_mm512_castsi512_ps(_mm512_sub_epi32(bits, _mm512_slli_epi32(e, 23)))},
          {_mm512_cvtepi32_ps(e)}};
}

inline F32x8 upper_half(F32x16 x) { return {_mm512_extractf32x8_ps(x.v, 1)}; }
inline F32x8 lower_half(F32x16 x) { return {_mm512_castps512_ps256(x.v)}; }
inline float reduce_add(F32x16 x) { return reduce_add(lower_half(x) + upper_half(x)); }
inline float reduce_max(F32x16 x) { return reduce_max(max(lower_half(x), upper_half(x))); }

}  // namespace
}  // namespace bitpose
