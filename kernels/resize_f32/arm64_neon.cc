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

/// A pair of columns around an output.
template <typename Vector>
struct Pair {
  const float* left;
  const float* right;
  Vector weight;

  Vector at(size_t c) const {
    return between(Vector::load(left + c), Vector::load(right + c), weight);
  }
};

/// Four vectors at a time, then single ones, the last of which reaches back over channels that are
/// done already.
template <typename Vector>
void resize(const ResizeF32Args& args) {
  constexpr size_t kWidth = Vector::kWidth;
  const size_t kc = args.kc;
  const Vector wy = Vector::all(args.bottom_weight);
  float* dst = args.dst;
  for (size_t i = 0; i < args.n; ++i, dst += kc) {
    const ResizeF32Column& column = args.columns[i];
    const Vector wx = Vector::all(column.weight);
    const Pair<Vector> top{args.top + column.left, args.top + column.right, wx};
    const Pair<Vector> bottom{args.bottom + column.left, args.bottom + column.right, wx};
    size_t k = 0;
    for (; k + 4 * kWidth <= kc; k += 4 * kWidth) {
      // All before the first store, which could change what later loads read for all the compiler
      // knows: in-order cores need the four interleaved.
      Vector out[4];
#pragma GCC unroll 4
      for (size_t v = 0; v < 4; ++v) {
        const size_t c = k + v * kWidth;
        out[v] = between(top.at(c), bottom.at(c), wy);
      }
#pragma GCC unroll 4
      for (size_t v = 0; v < 4; ++v) out[v].store(dst + k + v * kWidth);
    }
    for (; k < kc; k += kWidth) {
      const size_t c = k < kc - kWidth ? k : kc - kWidth;
      between(top.at(c), bottom.at(c), wy).store(dst + c);
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
