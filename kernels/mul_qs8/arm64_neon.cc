// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/binary_qs8_neon.h"
#include "kernels/mul_qs8/mul_qs8.h"

namespace bitpose {
namespace {

struct Mul {
  int8x8_t a_zero_point, b_zero_point;
  RequantizeNeon requantize;

  explicit Mul(const MulQs8Args& args)
      : a_zero_point(vdup_n_s8(static_cast<int8_t>(args.a_zero_point))),
        b_zero_point(vdup_n_s8(static_cast<int8_t>(args.b_zero_point))),
        requantize(args.multiplier, args.range) {}

  int16x8_t words(int8x8_t a, int8x8_t b) const {
    const int16x8_t va = vsubl_s8(a, a_zero_point);
    const int16x8_t vb = vsubl_s8(b, b_zero_point);
    return requantize.words(vmull_s16(vget_low_s16(va), vget_low_s16(vb)), vmull_high_s16(va, vb));
  }
};

}  // namespace

void mul_qs8_16__neon(const MulQs8Args& args) { binary_qs8<Mul>(args); }

}  // namespace bitpose
