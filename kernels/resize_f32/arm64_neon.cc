// SPDX-License-Identifier: Apache-2.0
#include <arm_neon.h>

#include "kernels/resize_f32/resize_f32.h"

namespace bitpose {
namespace {

/// Vectors of 4 and 1 channels.
struct Floats4 {
  static constexpr size_t kWidth = 4;
  float32x4_t v;

  static Floats4 load(const float* src) { return {vld1q_f32(src)}; }
  static Floats4 all(float value) { return {vdupq_n_f32(value)}; }
  void store(float* dst) const { vst1q_f32(dst, v); }
};
struct Float {
  static constexpr size_t kWidth = 1;
  float v;

  static Float load(const float* src) { return {*src}; }
  static Float all(float value) { return {value}; }
  void store(float* dst) const { *dst = v; }
};

/// fma(weight, far - near, near).
Floats4 between(Floats4 near, Floats4 far, Floats4 weight) {
  return {vfmaq_f32(near.v, weight.v, vsubq_f32(far.v, near.v))};
}
Float between(Float near, Float far, Float weight) {
  return {__builtin_fmaf(weight.v, far.v - near.v, near.v)};
}

/// The last vector of a column reaches back over channels that are done already.
template <typename Vector>
void resize(const ResizeF32Args& args) {
  const size_t last = args.kc - Vector::kWidth;
  const Vector wy = Vector::all(args.bottom_weight);
  float* dst = args.dst;
  for (size_t i = 0; i < args.n; ++i, dst += args.kc) {
    const ResizeF32Column& column = args.columns[i];
    const Vector wx = Vector::all(column.weight);
    const auto horizontal = [&](const float* row) {
      return between(Vector::load(row + column.left), Vector::load(row + column.right), wx);
    };
    for (size_t k = 0; k < args.kc; k += Vector::kWidth) {
      const size_t c = k < last ? k : last;
      between(horizontal(args.top + c), horizontal(args.bottom + c), wy).store(dst + c);
    }
  }
}

}  // namespace

void resize_f32_4__neon(const ResizeF32Args& args) {
  if (args.kc >= Floats4::kWidth) {
    resize<Floats4>(args);
  } else {
    resize<Float>(args);
  }
}

}  // namespace bitpose
