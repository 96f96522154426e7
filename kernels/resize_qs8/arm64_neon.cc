// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/quantize_neon.h"
#include "kernels/resize_qs8/vector.h"

namespace bitpose {
namespace {

class Blend {
 public:
  struct Corners {
    float32x4x2_t top_left, top_right, bottom_left, bottom_right;
  };
  struct Weights {
    float32x4x2_t left, right;

    static Weights splat(float left, float right) {
      const float32x4_t vleft = vdupq_n_f32(left);
      const float32x4_t vright = vdupq_n_f32(right);
      return {{vleft, vleft}, {vright, vright}};
    }
    static Weights load(const float* left, const float* right) {
      return {{vld1q_f32(left), vld1q_f32(left + 4)}, {vld1q_f32(right), vld1q_f32(right + 4)}};
    }
  };

  explicit Blend(const ResizeQs8Args& args)
      : zero_point_(vdupq_n_s16(static_cast<int16_t>(args.zero_point))),
        x_scale_(args.x_scale),
        top_weight_(args.top_weight),
        bottom_weight_(args.bottom_weight),
        quantize_(args.y_scale, args.range) {}

  Corners corners(const int8_t* top_left, const int8_t* top_right, const int8_t* bottom_left,
                  const int8_t* bottom_right) const {
    return {numbers(top_left), numbers(top_right), numbers(bottom_left), numbers(bottom_right)};
  }

  int8x8_t codes(const Corners& x, const Weights& weights) const {
    return quantize_.codes(blend<0>(x, weights), blend<1>(x, weights));
  }

  static void store(int8_t* dst, int8x8_t codes, size_t count) {
    store_up_to_8(dst, vget_lane_u64(vreinterpret_u64_s8(codes), 0), count);
  }

 private:
  float32x4x2_t numbers(const int8_t* codes) const {
    const int16x8_t centred = vsubq_s16(vmovl_s8(vld1_s8(codes)), zero_point_);
    return {vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(centred))), x_scale_),
            vmulq_n_f32(vcvtq_f32_s32(vmovl_high_s16(centred)), x_scale_)};
  }

  template <int half>
  float32x4_t blend(const Corners& x, const Weights& weights) const {
    const auto term = [](float32x4_t column_weight, float row_weight, float32x4x2_t corner) {
      return vmulq_f32(vmulq_n_f32(column_weight, row_weight), corner.val[half]);
    };
    float32x4_t y = term(weights.left.val[half], top_weight_, x.top_left);
    y = vaddq_f32(y, term(weights.right.val[half], top_weight_, x.top_right));
    y = vaddq_f32(y, term(weights.left.val[half], bottom_weight_, x.bottom_left));
    return vaddq_f32(y, term(weights.right.val[half], bottom_weight_, x.bottom_right));
  }

  int16x8_t zero_point_;
  float x_scale_, top_weight_, bottom_weight_;
  QuantizeNeon quantize_;
};

}  // namespace

void resize_qs8_8__neon(const ResizeQs8Args& args) { resize_qs8<Blend>(args); }

}  // namespace bitpose
