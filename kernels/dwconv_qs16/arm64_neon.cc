// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/requantize16_neon.h"
#include "kernels/dwconv_qs16/dwconv_qs16.h"

// 8 channels of 4 pixels:
//
//   acc[4 pixels][2]   w = one tap of 8 channels   per pixel: a <- its column
//   smlal acc0, a.4h, w.4h    smlal2 acc1, a, w
namespace bitpose {
namespace {

constexpr size_t NR = 8;

/// XR output pixels from x on, the group of channels from c on.
template <int XR>
inline void pixels(const DwconvQs16Args& args, size_t x, size_t c, const int32_t* bias,
                   const Requantize16Neon& out) {
  const auto* multiplier = reinterpret_cast<const float*>(bias + NR);
  const auto* weights = reinterpret_cast<const int16_t*>(multiplier + NR);
  int32x4_t acc[XR][2];
#pragma GCC unroll 4
  for (int i = 0; i < XR; ++i) {
    acc[i][0] = vld1q_s32(bias);
    acc[i][1] = vld1q_s32(bias + 4);
  }
  for (size_t ky = 0; ky < args.kernel_h; ++ky) {
    const int16_t* const* columns = args.lines[ky] + x * args.stride_w;
    for (size_t kx = 0; kx < args.kernel_w; ++kx, weights += NR) {
      const int16x8_t w = vld1q_s16(weights);
#pragma GCC unroll 4
      for (int i = 0; i < XR; ++i) {
        const int16x8_t a = vld1q_s16(columns[static_cast<size_t>(i) * args.stride_w + kx] + c);
        acc[i][0] = vmlal_s16(acc[i][0], vget_low_s16(a), vget_low_s16(w));
        acc[i][1] = vmlal_high_s16(acc[i][1], a, w);
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < XR; ++i) {
    const int16x8_t codes =
        out.codes(vcvtq_f32_s32(acc[i][0]), vcvtq_f32_s32(acc[i][1]), multiplier);
    store_codes16(codes, args.narrow, args.dst, (x + static_cast<size_t>(i)) * args.dst_stride + c,
                  args.channels - c);
  }
}

}  // namespace

void dwconv_qs16_4x8c1__neon(const DwconvQs16Args& args) {
  const Requantize16Neon out(args.range);
  const size_t group_words = NR * (4 + args.kernel_h * args.kernel_w);
  const auto* group = static_cast<const int16_t*>(args.packed);
  for (size_t c = 0; c < args.channels; c += NR, group += group_words) {
    const auto* bias = reinterpret_cast<const int32_t*>(group);
    size_t x = 0;
    for (; x + 4 <= args.output_w; x += 4) pixels<4>(args, x, c, bias, out);
    for (; x < args.output_w; ++x) pixels<1>(args, x, c, bias, out);
  }
}

}  // namespace bitpose
