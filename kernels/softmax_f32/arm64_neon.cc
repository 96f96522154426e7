// SPDX-License-Identifier: Apache-2.0
#include <arm_neon.h>

#include <cstring>

#include "kernels/base/math.h"
#include "kernels/softmax_f32/softmax_f32.h"

namespace bitpose {
namespace {

constexpr size_t kLanes = 16;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

float32x4_t power_of_two_lanes(int32x4_t n) {
  return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(n, vdupq_n_s32(127)), 23));
}

/// a > b ? a : b. Unlike FMAX it gives b when a is NaN.
float32x4_t larger(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }

/// exp_f32 of each lane.
float32x4_t exp_lanes(float32x4_t vinput) {
  using namespace exp_terms;
  const auto all = [](float value) { return vdupq_n_f32(value); };
  const uint32x4_t vnumber = vceqq_f32(vinput, vinput);
  const float32x4_t vx = vminq_f32(larger(vinput, all(kLow)), all(kHigh));
  const float32x4_t vn = vsubq_f32(vfmaq_f32(all(kRound), vx, all(kLog2e)), all(kRound));
  float32x4_t vt = vfmaq_f32(vx, vn, all(-kLn2High));
  vt = vfmaq_f32(vt, vn, all(-kLn2Low));
  float32x4_t vp = vfmaq_f32(all(kC5), all(kC6), vt);
  vp = vfmaq_f32(all(kC4), vp, vt);
  vp = vfmaq_f32(all(kC3), vp, vt);
  vp = vfmaq_f32(all(kC2), vp, vt);
  vp = vfmaq_f32(all(1.0f), vp, vt);
  vp = vfmaq_f32(all(1.0f), vp, vt);
  const int32x4_t vexponent = vcvtq_s32_f32(vn);
  const int32x4_t vhalf = vshrq_n_s32(vexponent, 1);
  const float32x4_t vscaled = vmulq_f32(vp, power_of_two_lanes(vhalf));
  const float32x4_t vy = vmulq_f32(vscaled, power_of_two_lanes(vsubq_s32(vexponent, vhalf)));
  return vbslq_f32(vnumber, vy, all(std::numeric_limits<float>::quiet_NaN()));
}

float largest(size_t n, const float* x) {
  float32x4_t vm = vdupq_n_f32(-kInfinity);
  size_t i = 0;
  for (; i + 4 <= n; i += 4) vm = larger(vld1q_f32(x + i), vm);
  float m = vmaxvq_f32(vm);
  for (; i < n; ++i) m = x[i] > m ? x[i] : m;
  return m;
}

/// Sums of the lanes, lane 4 * j + i in element i of v[j].
struct LaneSums {
  float32x4_t v[4] = {vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0)};

  float tree() const {
    const float32x4_t v4 = vaddq_f32(vaddq_f32(v[0], v[2]), vaddq_f32(v[1], v[3]));
    const float32x2_t v2 = vadd_f32(vget_low_f32(v4), vget_high_f32(v4));
    return vget_lane_f32(v2, 0) + vget_lane_f32(v2, 1);
  }
};

/// Writes exp_f32(x - m) and returns its sum.
float exponentials(size_t n, const float* x, float m, float* y) {
  const float32x4_t vm = vdupq_n_f32(m);
  LaneSums sums;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t j = 0; j < 4; ++j) {
      const float32x4_t ve = exp_lanes(vsubq_f32(vld1q_f32(x + i + 4 * j), vm));
      vst1q_f32(y + i + 4 * j, ve);
      sums.v[j] = vaddq_f32(sums.v[j], ve);
    }
  }
  if (i < n) {
    // Adding +0 changes no lane: no sum is ever -0.
    float tail[kLanes] = {};
    for (size_t j = i; j < n; ++j) tail[j - i] = exp_f32(x[j] - m);
    std::memcpy(y + i, tail, (n - i) * sizeof(float));
    for (size_t j = 0; j < 4; ++j) sums.v[j] = vaddq_f32(sums.v[j], vld1q_f32(tail + 4 * j));
  }
  return sums.tree();
}

void divide(size_t n, float divisor, float* y) {
  const float32x4_t vdivisor = vdupq_n_f32(divisor);
  size_t i = 0;
  for (; i + 4 <= n; i += 4) vst1q_f32(y + i, vdivq_f32(vld1q_f32(y + i), vdivisor));
  for (; i < n; ++i) y[i] /= divisor;
}

}  // namespace

void softmax_f32_16__neon(size_t rows, size_t n, const float* src, float* dst) {
  for (size_t row = 0; row < rows; ++row, src += n, dst += n) {
    divide(n, exponentials(n, src, largest(n, src), dst), dst);
  }
}

}  // namespace bitpose
