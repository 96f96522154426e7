// SPDX-License-Identifier: Apache-2.0
#include <arm_neon.h>

#include "kernels/dwconv_f32/dwconv_f32.h"

// 4 channels of 8 neighbouring output pixels at a time, for every filter row:
//
//   acc[8]   w[kernel_w] = the weights of the row   a
//   for each input column under the 8 windows:  a <- pixel ; one fmla per window over it
//
// Columns ascend, so every accumulator takes its taps in the contract's order, and an input is
// loaded once for kernel_w / stride windows. 8 chains cover the latency of the FMA pipes.
namespace bitpose {
namespace {

constexpr size_t NR = 4;

/// fmax and fmin would order zeros by their sign, so the contract's clamp is compare and select.
inline void store(float* dst, float32x4_t x, const DwconvF32Args& args, size_t count) {
  const float32x4_t fmin = vdupq_n_f32(args.fmin);
  const float32x4_t fmax = vdupq_n_f32(args.fmax);
  x = vbslq_f32(vcltq_f32(x, fmin), fmin, x);
  x = vbslq_f32(vcgtq_f32(x, fmax), fmax, x);
  if (count >= NR) {
    vst1q_f32(dst, x);
  } else {
    float lanes[NR];
    vst1q_f32(lanes, x);
    for (size_t i = 0; i < count; ++i) dst[i] = lanes[i];
  }
}

/// XR output pixels from x on, one group of channels from c on. KW and S are the filter's width and
/// stride.
template <int KW, int S, int XR>
inline void pixels(const DwconvF32Args& args, size_t x, size_t c, const float* group) {
  float32x4_t acc[XR];
#pragma GCC unroll 8
  for (int i = 0; i < XR; ++i) acc[i] = vld1q_f32(group);
  const float* weights = group + NR;
  for (size_t ky = 0; ky < args.kernel_h; ++ky, weights += KW * NR) {
    const float* const* columns = args.lines[ky] + x * S;
    float32x4_t w[KW];
#pragma GCC unroll 8
    for (int kx = 0; kx < KW; ++kx) w[kx] = vld1q_f32(weights + kx * NR);
#pragma GCC unroll 32
    for (int j = 0; j < (XR - 1) * S + KW; ++j) {
      const auto a = vld1q_f32(columns[j] + c);
#pragma GCC unroll 8
      for (int i = 0; i < XR; ++i) {
        const int kx = j - i * S;
        if (kx >= 0 && kx < KW) acc[i] = vfmaq_f32(acc[i], a, w[kx]);
      }
    }
  }
  float* dst = args.dst + x * args.dst_stride + c;
#pragma GCC unroll 8
  for (int i = 0; i < XR; ++i) {
    store(dst + i * args.dst_stride, acc[i], args, args.channels - c);
  }
}

/// One output pixel of any filter.
inline void pixel(const DwconvF32Args& args, size_t x, size_t c, const float* group) {
  auto acc = vld1q_f32(group);
  const float* weights = group + NR;
  for (size_t ky = 0; ky < args.kernel_h; ++ky) {
    const float* const* column = args.lines[ky] + x * args.stride_w;
    for (size_t kx = 0; kx < args.kernel_w; ++kx, ++column, weights += NR) {
      acc = vfmaq_f32(acc, vld1q_f32(*column + c), vld1q_f32(weights));
    }
  }
  store(args.dst + x * args.dst_stride + c, acc, args, args.channels - c);
}

/// One group of channels of the row; the last tile overlaps the one before.
template <int KW, int S>
inline void group_row(const DwconvF32Args& args, size_t c, const float* group) {
  size_t x = 0;
  if constexpr (KW != 0) {
    for (; x + 8 <= args.output_w; x += 8) pixels<KW, S, 8>(args, x, c, group);
    if (args.output_w >= 4) {
      for (; x + 4 <= args.output_w; x += 4) pixels<KW, S, 4>(args, x, c, group);
      if (x < args.output_w) pixels<KW, S, 4>(args, args.output_w - 4, c, group);
      return;
    }
  }
  for (; x < args.output_w; ++x) pixel(args, x, c, group);
}

/// KW = 0 stands for any filter.
template <int KW, int S>
void row(const DwconvF32Args& args) {
  const size_t group_floats = (1 + args.kernel_h * args.kernel_w) * NR;
  const float* group = args.packed;
  for (size_t c = 0; c < args.channels; c += NR, group += group_floats) {
    group_row<KW, S>(args, c, group);
  }
}

void dwconv_f32(const DwconvF32Args& args) {
  const size_t stride = args.stride_w;
  if (stride == 1 && args.kernel_w == 1) return row<1, 1>(args);
  if (stride == 1 && args.kernel_w == 3) return row<3, 1>(args);
  if (stride == 2 && args.kernel_w == 3) return row<3, 2>(args);
  if (stride == 1 && args.kernel_w == 5) return row<5, 1>(args);
  if (stride == 2 && args.kernel_w == 5) return row<5, 2>(args);
  if (stride == 1 && args.kernel_w == 7) return row<7, 1>(args);
  if (stride == 2 && args.kernel_w == 7) return row<7, 2>(args);
  return row<0, 0>(args);
}

}  // namespace

void dwconv_f32_8x4__neon(const DwconvF32Args& args) { dwconv_f32(args); }

}  // namespace bitpose
