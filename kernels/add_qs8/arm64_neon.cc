// SPDX-License-Identifier: Apache-2.0
#include "kernels/add_qs8/add_qs8.h"
#include "kernels/base/binary_qs8_neon.h"

namespace bitpose {
namespace {

struct Add {
  int16x4_t a_multiplier, b_multiplier;
  int32x4_t bias;
  RequantizeNeon requantize;

  explicit Add(const AddQs8Args& args)
      : a_multiplier(vdup_n_s16(args.a_multiplier)),
        b_multiplier(vdup_n_s16(args.b_multiplier)),
        bias(vdupq_n_s32(args.bias)),
        requantize(args.multiplier, args.range) {}

  int16x8_t words(int8x8_t a, int8x8_t b) const {
    const int16x8_t va = vmovl_s8(a);
    const int16x8_t vb = vmovl_s8(b);
    return requantize.words(acc(vget_low_s16(va), vget_low_s16(vb)),
                            acc(vget_high_s16(va), vget_high_s16(vb)));
  }
  int32x4_t acc(int16x4_t a, int16x4_t b) const {
    return vmlal_s16(vmlal_s16(bias, a, a_multiplier), b, b_multiplier);
  }
};

}  // namespace

void add_qs8_16__neon(const AddQs8Args& args) { binary_qs8<Add>(args); }

}  // namespace bitpose
