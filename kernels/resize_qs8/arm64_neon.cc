// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/partial.h"
#include "kernels/base/requantize_neon.h"
#include "kernels/resize_qs8/resize_qs8.h"

// A step between two neighbours is near * 2048 + weight * (far - near), the same number as the
// contract's.
namespace bitpose {
namespace {

/// The four pixels around an output, 8 channels of each.
struct Corners {
  int8x8_t top_left, top_right, bottom_left, bottom_right;
};

class Blend {
 public:
  explicit Blend(const ResizeQs8Args& args)
      : wy_(args.bottom_weight),
        offset_(vdupq_n_s32(-args.zero_point * kResizeOne * kResizeOne)),
        requantize_(args.multiplier, args.range) {}

  int16x8_t words(const Corners& x, int16x8_t weights) const {
    const int16x8_t top = vmovl_s8(x.top_left);
    const int16x8_t top_step = vsubl_s8(x.top_right, x.top_left);
    const int16x8_t bottom = vmovl_s8(x.bottom_left);
    const int16x8_t bottom_step = vsubl_s8(x.bottom_right, x.bottom_left);
    const int32x4_t acc0 =
        acc(horizontal(vget_low_s16(top), vget_low_s16(top_step), vget_low_s16(weights)),
            horizontal(vget_low_s16(bottom), vget_low_s16(bottom_step), vget_low_s16(weights)));
    const int32x4_t acc1 =
        acc(horizontal(vget_high_s16(top), vget_high_s16(top_step), vget_high_s16(weights)),
            horizontal(vget_high_s16(bottom), vget_high_s16(bottom_step), vget_high_s16(weights)));
    return requantize_.words(acc0, acc1);
  }

  int8x8_t codes(const Corners& x, int16x8_t weights) const {
    return requantize_.codes(words(x, weights));
  }

  /// From 8 horizontal sums of each row.
  int8x8_t codes(const int32_t* top, const int32_t* bottom) const {
    const int32x4_t acc0 = acc(vld1q_s32(top), vld1q_s32(bottom));
    const int32x4_t acc1 = acc(vld1q_s32(top + 4), vld1q_s32(bottom + 4));
    return requantize_.codes(requantize_.words(acc0, acc1));
  }

 private:
  static int32x4_t horizontal(int16x4_t left, int16x4_t step, int16x4_t weights) {
    return vmlal_s16(vshll_n_s16(left, 11), step, weights);
  }

  int32x4_t acc(int32x4_t top, int32x4_t bottom) const {
    const int32x4_t near = vaddq_s32(vshlq_n_s32(top, 11), offset_);
    return vmlaq_n_s32(near, vsubq_s32(bottom, top), wy_);
  }

  int32_t wy_;
  int32x4_t offset_;
  RequantizeNeon requantize_;
};

/// kc >= 8: the channels of a column in blocks. The last one reaches back over channels that are
/// done already.
void resize_columns(const ResizeQs8Args& args) {
  const Blend blend(args);
  int8_t* dst = args.dst;
  for (size_t i = 0; i < args.n; ++i, dst += args.kc) {
    const ResizeQs8Column& column = args.columns[i];
    const int16x8_t weights = vdupq_n_s16(static_cast<int16_t>(column.weight));
    const int8_t* left = args.top + column.left;
    const int8_t* right = args.top + column.right;
    const ptrdiff_t down = args.bottom - args.top;
    for (size_t k = 0; k < args.kc; k += 8) {
      const size_t c = k < args.kc - 8 ? k : args.kc - 8;
      const Corners x{vld1_s8(left + c), vld1_s8(right + c), vld1_s8(left + down + c),
                      vld1_s8(right + down + c)};
      vst1_s8(dst + c, blend.codes(x, weights));
    }
  }
}

/// Horizontal sums of output elements, whatever columns they belong to; not less any zero point.
struct Sums {
  static constexpr size_t kMost = 32;
  alignas(32) int32_t top[kMost] = {};
  alignas(32) int32_t bottom[kMost] = {};
};

/// Walks the elements of the output; kc is small.
struct Walk {
  const ResizeQs8Column* column;
  size_t k = 0;

  void sum(const ResizeQs8Args& args, size_t count, Sums& sums) {
    // In a copy, which stores to `sums` cannot change.
    Walk walk = *this;
    const int8_t* top = args.top;
    const int8_t* bottom = args.bottom;
    const size_t kc = args.kc;
    for (size_t e = 0; e < count; ++e) {
      const ResizeQs8Column at = *walk.column;
      const size_t left = at.left + walk.k;
      const size_t right = at.right + walk.k;
      sums.top[e] = top[left] * kResizeOne + (top[right] - top[left]) * at.weight;
      sums.bottom[e] = bottom[left] * kResizeOne + (bottom[right] - bottom[left]) * at.weight;
      if (++walk.k == kc) walk = {walk.column + 1};
    }
    *this = walk;
  }
};

/// kc < 8: several columns at a time.
void resize_elements(const ResizeQs8Args& args) {
  const Blend blend(args);
  Sums sums;
  Walk walk{args.columns};
  size_t rest = args.n * args.kc;
  for (int8_t* dst = args.dst; rest > 0;) {
    const size_t count = rest < Sums::kMost ? rest : Sums::kMost;
    walk.sum(args, count, sums);
    for (size_t e = 0; e < count; e += 8) {
      const int8x8_t codes = blend.codes(sums.top + e, sums.bottom + e);
      const size_t left = count - e < 8 ? count - e : 8;
      store_up_to_8(dst + e, vget_lane_u64(vreinterpret_u64_s8(codes), 0), left);
    }
    dst += count;
    rest -= count;
  }
}

}  // namespace

void resize_qs8_8__neon(const ResizeQs8Args& args) {
  if (args.kc >= 8) {
    resize_columns(args);
  } else {
    resize_elements(args);
  }
}

}  // namespace bitpose
