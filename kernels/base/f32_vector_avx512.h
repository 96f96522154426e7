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
  void store(float* dst) const { _mm512_storeu_ps(dst, v); }
  void store_partial(float* dst, size_t count) const {
    _mm512_mask_storeu_ps(dst, static_cast<__mmask16>((1u << count) - 1), v);
  }
};

inline F32x16 fma(F32x16 a, F32x16 b, F32x16 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline F32x16 max(F32x16 a, F32x16 b) { return {_mm512_max_ps(a.v, b.v)}; }
inline F32x16 min(F32x16 a, F32x16 b) { return {_mm512_min_ps(a.v, b.v)}; }

}  // namespace
}  // namespace bitpose
