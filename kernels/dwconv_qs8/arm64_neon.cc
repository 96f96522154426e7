// SPDX-License-Identifier: Apache-2.0
#include <arm_neon.h>

#include "kernels/dwconv_qs8/dwconv_qs8.h"
#include "kernels/dwconv_qs8/taps.h"

// 1x16: int8 weights. SMULL and SMLAL let two products share an int16, at most 2 * 128 * 127 =
// 32512, before SADDW adds them to int32: per pair of taps and 16 channels
//   2 ld1, 2 ldr w, smull, smull2, smlal, smlal2, 4 saddw
// 1x8: weights of 9 bits as int16, multiplied into int32 by SMLAL.
//
// FCVTNS saturates, so integer clamps after it equal the float clamp whatever the accumulator is.
namespace bitpose {
namespace {

struct Epilogue {
  int16x8_t zero_point;
  int8x16_t qmin, qmax;

  explicit Epilogue(const OutputRange& range)
      : zero_point(vdupq_n_s16(static_cast<int16_t>(range.zero_point))),
        qmin(vdupq_n_s8(static_cast<int8_t>(range.qmin))),
        qmax(vdupq_n_s8(static_cast<int8_t>(range.qmax))) {}
};

inline int16x4_t scale(int32x4_t acc, const float* multiplier) {
  return vqmovn_s32(vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(acc), vld1q_f32(multiplier))));
}

inline int8x8_t codes(int32x4_t acc0, int32x4_t acc1, const float* multiplier,
                      const Epilogue& out) {
  const int16x8_t words = vqaddq_s16(
      vcombine_s16(scale(acc0, multiplier), scale(acc1, multiplier + 4)), out.zero_point);
  return vmin_s8(vmax_s8(vqmovn_s16(words), vget_low_s8(out.qmin)), vget_low_s8(out.qmax));
}

template <typename Vector, typename Store>
inline void store(int8_t* dst, Vector bytes, size_t count, Store whole) {
  if (count >= sizeof(bytes)) {
    whole(dst, bytes);
    return;
  }
  int8_t buffer[sizeof(bytes)];
  whole(buffer, bytes);
  __builtin_memcpy(dst, buffer, count);
}

inline void pixel_narrow(const DwconvQs8Args& args, size_t ks, size_t c, const int32_t* group,
                         const Epilogue& out, int8_t* dst) {
  constexpr size_t NR = 16;
  const auto* multiplier = reinterpret_cast<const float*>(group + NR);
  const auto* weights = reinterpret_cast<const int8_t*>(multiplier + NR);
  int32x4_t acc0 = vld1q_s32(group);
  int32x4_t acc1 = vld1q_s32(group + 4);
  int32x4_t acc2 = vld1q_s32(group + 8);
  int32x4_t acc3 = vld1q_s32(group + 12);
  const auto add = [&](int16x8_t low, int16x8_t high) {
    acc0 = vaddw_s16(acc0, vget_low_s16(low));
    acc1 = vaddw_high_s16(acc1, low);
    acc2 = vaddw_s16(acc2, vget_low_s16(high));
    acc3 = vaddw_high_s16(acc3, high);
  };
  size_t t = 0;
  for (; t + 2 <= ks; t += 2) {
    const int8x16_t a0 = vld1q_s8(args.taps[t] + c);
    const int8x16_t a1 = vld1q_s8(args.taps[t + 1] + c);
    const int8x16_t w0 = vld1q_s8(weights + t * NR);
    const int8x16_t w1 = vld1q_s8(weights + t * NR + NR);
    const int16x8_t low = vmull_s8(vget_low_s8(a0), vget_low_s8(w0));
    const int16x8_t high = vmull_high_s8(a0, w0);
    add(vmlal_s8(low, vget_low_s8(a1), vget_low_s8(w1)), vmlal_high_s8(high, a1, w1));
  }
  if (t < ks) {
    const int8x16_t a = vld1q_s8(args.taps[t] + c);
    const int8x16_t w = vld1q_s8(weights + t * NR);
    add(vmull_s8(vget_low_s8(a), vget_low_s8(w)), vmull_high_s8(a, w));
  }
  store(dst + c,
        vcombine_s8(codes(acc0, acc1, multiplier, out), codes(acc2, acc3, multiplier + 8, out)),
        args.channels - c, [](int8_t* to, int8x16_t bytes) { vst1q_s8(to, bytes); });
}

inline void pixel_wide(const DwconvQs8Args& args, size_t ks, size_t c, const int32_t* group,
                       const Epilogue& out, int8_t* dst) {
  constexpr size_t NR = 8;
  const auto* multiplier = reinterpret_cast<const float*>(group + NR);
  const auto* weights = reinterpret_cast<const int16_t*>(multiplier + NR);
  int32x4_t acc0 = vld1q_s32(group);
  int32x4_t acc1 = vld1q_s32(group + 4);
  for (size_t t = 0; t < ks; ++t) {
    const int16x8_t a = vmovl_s8(vld1_s8(args.taps[t] + c));
    const int16x8_t w = vld1q_s16(weights + t * NR);
    acc0 = vmlal_s16(acc0, vget_low_s16(a), vget_low_s16(w));
    acc1 = vmlal_high_s16(acc1, a, w);
  }
  store(dst + c, codes(acc0, acc1, multiplier, out), args.channels - c,
        [](int8_t* to, int8x8_t bytes) { vst1_s8(to, bytes); });
}

}  // namespace

void dwconv_qs8_1x16__neon(const DwconvQs8Args& args) {
  const Epilogue out(args.range);
  const size_t ks = args.kernel_h * args.kernel_w;
  for (size_t x = 0; x < args.output_w; ++x) {
    fill_taps(args, x);
    const auto* group = static_cast<const std::byte*>(args.packed);
    for (size_t c = 0; c < args.channels; c += 16, group += 16 * (8 + ks)) {
      pixel_narrow(args, ks, c, reinterpret_cast<const int32_t*>(group), out,
                   args.dst + x * args.channels);
    }
  }
}

void dwconv_qs8_1x8__neon(const DwconvQs8Args& args) {
  const Epilogue out(args.range);
  const size_t ks = args.kernel_h * args.kernel_w;
  for (size_t x = 0; x < args.output_w; ++x) {
    fill_taps(args, x);
    const auto* group = static_cast<const std::byte*>(args.packed);
    for (size_t c = 0; c < args.channels; c += 8, group += 8 * (8 + 2 * ks)) {
      pixel_wide(args, ks, c, reinterpret_cast<const int32_t*>(group), out,
                 args.dst + x * args.channels);
    }
  }
}

}  // namespace bitpose
