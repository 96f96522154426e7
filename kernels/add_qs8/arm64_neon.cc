// SPDX-License-Identifier: Apache-2.0
#include "kernels/add_qs8/add_qs8.h"
#include "kernels/base/partial.h"
#include "kernels/base/requantize_neon.h"

namespace bitpose {
namespace {

class Adder {
 public:
  explicit Adder(const AddQs8Args& args)
      : a_multiplier_(vdup_n_s16(args.a_multiplier)),
        b_multiplier_(vdup_n_s16(args.b_multiplier)),
        bias_(vdupq_n_s32(args.bias)),
        requantize_(args.multiplier, args.range) {}

  int16x8_t words(int8x8_t a, int8x8_t b) const {
    const int16x8_t va = vmovl_s8(a);
    const int16x8_t vb = vmovl_s8(b);
    return requantize_.words(acc(vget_low_s16(va), vget_low_s16(vb)),
                             acc(vget_high_s16(va), vget_high_s16(vb)));
  }

  int8x16_t codes(int8x16_t a, int8x16_t b) const {
    return requantize_.codes(words(vget_low_s8(a), vget_low_s8(b)),
                             words(vget_high_s8(a), vget_high_s8(b)));
  }

  int8x8_t codes(int8x8_t a, int8x8_t b) const { return requantize_.codes(words(a, b)); }

 private:
  int32x4_t acc(int16x4_t a, int16x4_t b) const {
    return vmlal_s16(vmlal_s16(bias_, a, a_multiplier_), b, b_multiplier_);
  }

  int16x4_t a_multiplier_, b_multiplier_;
  int32x4_t bias_;
  RequantizeNeon requantize_;
};

template <bool b_is_scalar>
void add(const AddQs8Args& args) {
  const Adder adder(args);
  const int8_t* a = args.a;
  const int8_t* b = args.b;
  int8_t* dst = args.dst;
  const size_t n = args.n;
  const int8x16_t vscalar = vdupq_n_s8(*b);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    vst1q_s8(dst + i, adder.codes(vld1q_s8(a + i), b_is_scalar ? vscalar : vld1q_s8(b + i)));
  }
  for (; i < n; i += 8) {
    const size_t count = n - i < 8 ? n - i : 8;
    const auto part = [&](const int8_t* src) { return vcreate_s8(load_up_to_8(src + i, count)); };
    const int8x8_t codes = adder.codes(part(a), b_is_scalar ? vget_low_s8(vscalar) : part(b));
    store_up_to_8(dst + i, vget_lane_u64(vreinterpret_u64_s8(codes), 0), count);
  }
}

}  // namespace

void add_qs8_16__neon(const AddQs8Args& args) {
  if (args.n == 0) return;
  if (args.b_is_scalar) {
    add<true>(args);
  } else {
    add<false>(args);
  }
}

}  // namespace bitpose
