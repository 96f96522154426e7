// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arm_neon.h>

#include "kernels/base/f32_vector.h"

// For files compiled for AArch64 only: everything is in an unnamed namespace.
namespace bitpose {
namespace {

struct F32x4 {
  static constexpr size_t kLanes = 4;
  float32x4_t v;

  static F32x4 load(const float* src) { return {vld1q_f32(src)}; }
  static F32x4 splat(float value) { return {vdupq_n_f32(value)}; }
  static F32x4 load_partial(const float* src, size_t count) {
    if (count >= kLanes) return load(src);
    const float32x2_t zeros = vdup_n_f32(0.0f);
    const float32x2_t odd = (count & 1) != 0 ? vld1_lane_f32(src + count - 1, zeros, 0) : zeros;
    return {(count & 2) != 0 ? vcombine_f32(vld1_f32(src), odd) : vcombine_f32(odd, zeros)};
  }
  void store(float* dst) const { vst1q_f32(dst, v); }
  void store_partial(float* dst, size_t count) const {
    if (count >= kLanes) return store(dst);
    float32x2_t rest = vget_low_f32(v);
    if ((count & 2) != 0) {
      vst1_f32(dst, rest);
      rest = vget_high_f32(v);
      dst += 2;
    }
    if ((count & 1) != 0) vst1_lane_f32(dst, rest, 0);
  }
};

inline F32x4 operator+(F32x4 a, F32x4 b) { return {vaddq_f32(a.v, b.v)}; }
inline F32x4 operator-(F32x4 a, F32x4 b) { return {vsubq_f32(a.v, b.v)}; }
inline F32x4 operator*(F32x4 a, F32x4 b) { return {vmulq_f32(a.v, b.v)}; }
inline F32x4 operator/(F32x4 a, F32x4 b) { return {vdivq_f32(a.v, b.v)}; }
inline F32x4 fma(F32x4 a, F32x4 b, F32x4 c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
// FMAX and FMIN would hand on NaN and order zeros by their sign.
inline F32x4 max(F32x4 a, F32x4 b) { return {vbslq_f32(vcgtq_f32(a.v, b.v), a.v, b.v)}; }
inline F32x4 min(F32x4 a, F32x4 b) { return {vbslq_f32(vcltq_f32(a.v, b.v), a.v, b.v)}; }
inline uint32x4_t is_nan(F32x4 x) { return vmvnq_u32(vceqq_f32(x.v, x.v)); }
inline uint32x4_t less(F32x4 a, F32x4 b) { return vcltq_f32(a.v, b.v); }
inline F32x4 select(uint32x4_t mask, F32x4 a, F32x4 b) { return {vbslq_f32(mask, a.v, b.v)}; }
inline F32x4 select_first(size_t count, F32x4 a, F32x4 b) {
  const uint32x4_t lanes = {0, 1, 2, 3};
  return select(vcltq_u32(lanes, vdupq_n_u32(static_cast<uint32_t>(count))), a, b);
}
inline F32x4 abs(F32x4 x) { return {vabsq_f32(x.v)}; }
inline F32x4 copysign(F32x4 x, F32x4 sign) {
  return {vbslq_f32(vdupq_n_u32(0x80000000u), sign.v, x.v)};
}
inline F32x4 sqrt(F32x4 x) { return {vsqrtq_f32(x.v)}; }
inline F32x4 rint(F32x4 x) { return {vrndnq_f32(x.v)}; }
inline F32x4 clamp_number(F32x4 x, F32x4 low, F32x4 high) {
  return {vminq_f32(vmaxq_f32(x.v, low.v), high.v)};
}

inline F32x4 power_of_two(int32x4_t n) {
  return {vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(n, vdupq_n_s32(127)), 23))};
}
inline F32x4 power_of_two(F32x4 n) { return power_of_two(vcvtq_s32_f32(n.v)); }

inline F32x4 ldexp(F32x4 x, F32x4 n) {
  const int32x4_t exponent = vcvtq_s32_f32(n.v);
  const int32x4_t half = vshrq_n_s32(exponent, 1);
  return x * power_of_two(half) * power_of_two(vsubq_s32(exponent, half));
}

inline Binade<F32x4> binade(F32x4 x) {
  const int32x4_t bits = vreinterpretq_s32_f32(x.v);
  const int32x4_t e = vshrq_n_s32(vsubq_s32(bits, vdupq_n_s32(kSqrtHalf)), 23);
  return {{vreinterpretq_f32_s32(vsubq_s32(bits, vshlq_n_s32(e, 23)))}, {vcvtq_f32_s32(e)}};
}

inline float reduce_add(F32x4 x) {
  const float32x2_t v2 = vadd_f32(vget_low_f32(x.v), vget_high_f32(x.v));
  return vget_lane_f32(v2, 0) + vget_lane_f32(v2, 1);
}

inline float reduce_max(F32x4 x) { return vmaxvq_f32(x.v); }

}  // namespace
}  // namespace bitpose
