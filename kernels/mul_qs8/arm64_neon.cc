// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/partial.h"
#include "kernels/base/requantize_neon.h"
#include "kernels/mul_qs8/mul_qs8.h"

namespace bitpose {
namespace {

class Multiplier {
 public:
  explicit Multiplier(const MulQs8Args& args)
      : a_zero_point_(vdup_n_s8(static_cast<int8_t>(args.a_zero_point))),
        b_zero_point_(vdup_n_s8(static_cast<int8_t>(args.b_zero_point))),
        requantize_(args.multiplier, args.range) {}

  int16x8_t words(int8x8_t a, int8x8_t b) const {
    const int16x8_t va = vsubl_s8(a, a_zero_point_);
    const int16x8_t vb = vsubl_s8(b, b_zero_point_);
    return requantize_.words(vmull_s16(vget_low_s16(va), vget_low_s16(vb)), vmull_high_s16(va, vb));
  }

  int8x16_t codes(int8x16_t a, int8x16_t b) const {
    return requantize_.codes(words(vget_low_s8(a), vget_low_s8(b)),
                             words(vget_high_s8(a), vget_high_s8(b)));
  }

  int8x8_t codes(int8x8_t a, int8x8_t b) const { return requantize_.codes(words(a, b)); }

 private:
  int8x8_t a_zero_point_, b_zero_point_;
  RequantizeNeon requantize_;
};

template <bool b_is_scalar>
void multiply(const MulQs8Args& args) {
  const Multiplier product(args);
  const int8_t* a = args.a;
  const int8_t* b = args.b;
  int8_t* dst = args.dst;
  const size_t n = args.n;
  const int8x16_t vscalar = vdupq_n_s8(*b);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    vst1q_s8(dst + i, product.codes(vld1q_s8(a + i), b_is_scalar ? vscalar : vld1q_s8(b + i)));
  }
  for (; i < n; i += 8) {
    const size_t count = n - i < 8 ? n - i : 8;
    const auto part = [&](const int8_t* src) { return vcreate_s8(load_up_to_8(src + i, count)); };
    const int8x8_t codes = product.codes(part(a), b_is_scalar ? vget_low_s8(vscalar) : part(b));
    store_up_to_8(dst + i, vget_lane_u64(vreinterpret_u64_s8(codes), 0), count);
  }
}

}  // namespace

void mul_qs8_16__neon(const MulQs8Args& args) {
  if (args.n == 0) return;
  if (args.b_is_scalar) {
    multiply<true>(args);
  } else {
    multiply<false>(args);
  }
}

}  // namespace bitpose
