// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/partial.h"
#include "kernels/base/quantize_neon.h"
#include "kernels/resize_qs8/elements.h"
#include "kernels/resize_qs8/resize_qs8.h"

// Channels are lanes. An enlarged picture has several columns between the same two pixels, which
// are converted to numbers once for all of them.
namespace bitpose {
namespace {

/// The four pixels around an output, 8 channels of each, as numbers.
struct Corners {
  float32x4x2_t top_left, top_right, bottom_left, bottom_right;
};

/// The weights of 4 outputs.
struct Weights {
  float32x4_t left, right;
};

class Blend {
 public:
  explicit Blend(const ResizeQs8Args& args)
      : zero_point_(vdupq_n_s16(static_cast<int16_t>(args.zero_point))),
        x_scale_(args.x_scale),
        top_weight_(args.top_weight),
        bottom_weight_(args.bottom_weight),
        quantize_(args.y_scale, args.range) {}

  /// Of the pixels that start at these codes.
  Corners corners(const int8_t* top_left, const int8_t* top_right, const int8_t* bottom_left,
                  const int8_t* bottom_right) const {
    return {numbers(top_left), numbers(top_right), numbers(bottom_left), numbers(bottom_right)};
  }

  int8x8_t codes(const Corners& x, const Weights& low, const Weights& high) const {
    return quantize_.codes(blend<0>(x, low), blend<1>(x, high));
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
    float32x4_t y = term(weights.left, top_weight_, x.top_left);
    y = vaddq_f32(y, term(weights.right, top_weight_, x.top_right));
    y = vaddq_f32(y, term(weights.left, bottom_weight_, x.bottom_left));
    return vaddq_f32(y, term(weights.right, bottom_weight_, x.bottom_right));
  }

  int16x8_t zero_point_;
  float x_scale_, top_weight_, bottom_weight_;
  QuantizeNeon quantize_;
};

/// 8 channels of all columns, from channel c on; there is a column.
void resize_channels(const ResizeQs8Args& args, const Blend& blend, size_t c) {
  const int8_t* top = args.top + c;
  const int8_t* bottom = args.bottom + c;
  const auto corners = [&](const ResizeQs8Column& at) {
    return blend.corners(top + at.left, top + at.right, bottom + at.left, bottom + at.right);
  };
  const ResizeQs8Column* held = args.columns;
  Corners x = corners(*held);
  int8_t* dst = args.dst + c;
  const ResizeQs8Column* end = args.columns + args.n;
  for (const ResizeQs8Column* column = args.columns; column < end; ++column, dst += args.kc) {
    if (column->left != held->left || column->right != held->right) x = corners(*column);
    held = column;
    const Weights weights{vdupq_n_f32(column->left_weight), vdupq_n_f32(column->right_weight)};
    vst1_s8(dst, blend.codes(x, weights, weights));
  }
}

/// kc < 8: several columns at a time.
void resize_elements(const ResizeQs8Args& args, const Blend& blend) {
  Elements elements;
  Walk walk{args.columns};
  size_t rest = args.n * args.kc;
  for (int8_t* dst = args.dst; rest > 0;) {
    const size_t count = rest < Elements::kMost ? rest : Elements::kMost;
    walk.gather(args, count, elements);
    for (size_t e = 0; e < count; e += 8) {
      const Corners x = blend.corners(elements.top_left + e, elements.top_right + e,
                                      elements.bottom_left + e, elements.bottom_right + e);
      const auto weights = [&](size_t first) {
        return Weights{vld1q_f32(elements.left_weight + first),
                       vld1q_f32(elements.right_weight + first)};
      };
      const int8x8_t codes = blend.codes(x, weights(e), weights(e + 4));
      const size_t left = count - e < 8 ? count - e : 8;
      store_up_to_8(dst + e, vget_lane_u64(vreinterpret_u64_s8(codes), 0), left);
    }
    dst += count;
    rest -= count;
  }
}

}  // namespace

void resize_qs8_8__neon(const ResizeQs8Args& args) {
  if (args.n == 0) return;
  const Blend blend(args);
  if (args.kc < 8) {
    resize_elements(args, blend);
    return;
  }
  // The last 8 channels reach back over channels that are done already.
  for (size_t k = 0; k < args.kc; k += 8) {
    resize_channels(args, blend, k < args.kc - 8 ? k : args.kc - 8);
  }
}

}  // namespace bitpose
