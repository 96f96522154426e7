// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/dwconv_f32/dwconv_f32.h"

// 8 channels of 8 neighbouring output pixels at a time, for every filter row:
//
//   acc[8]   w[kernel_w] = the weights of the row   a
//   for each input column under the 8 windows:  a <- pixel ; one vfmadd231ps per window over it
//
// Columns ascend, so every accumulator takes its taps in the contract's order, and an input is
// loaded once for kernel_w / stride windows. 8 chains cover the latency of the FMA pipes.
namespace bitpose {
namespace {

constexpr size_t NR = 8;

/// Stores the first n lanes, 1 <= n < 8. vmaskmovps stores are microcoded on some cores. Out of
/// line to keep the hot loops small.
__attribute__((noinline)) void store_first(float* dst, __m256 values, size_t n) {
  alignas(32) float lanes[NR];
  _mm256_store_ps(lanes, values);
  for (size_t i = 0; i < n; ++i) dst[i] = lanes[i];
}

/// vmaxps and vminps hand on their second operand when it is NaN and when both are zero, which is
/// what the contract's clamp does.
inline void store(float* dst, __m256 acc, const DwconvF32Args& args, size_t count) {
  const __m256 x =
      _mm256_min_ps(_mm256_set1_ps(args.fmax), _mm256_max_ps(_mm256_set1_ps(args.fmin), acc));
  if (count >= NR) {
    _mm256_storeu_ps(dst, x);
  } else {
    store_first(dst, x, count);
  }
}

/// XR output pixels from x on, one group of channels from c on. KW and S are the filter's width and
/// stride.
template <int KW, int S, int XR>
inline void pixels(const DwconvF32Args& args, size_t x, size_t c, const float* group) {
  __m256 acc[XR];
#pragma GCC unroll 8
  for (int i = 0; i < XR; ++i) acc[i] = _mm256_loadu_ps(group);
  const float* weights = group + NR;
  for (size_t ky = 0; ky < args.kernel_h; ++ky, weights += KW * NR) {
    const float* const* columns = args.lines[ky] + x * S;
    __m256 w[KW];
#pragma GCC unroll 8
    for (int kx = 0; kx < KW; ++kx) w[kx] = _mm256_loadu_ps(weights + kx * NR);
#pragma GCC unroll 32
    for (int j = 0; j < (XR - 1) * S + KW; ++j) {
      const auto a = _mm256_loadu_ps(columns[j] + c);
#pragma GCC unroll 8
      for (int i = 0; i < XR; ++i) {
        const int kx = j - i * S;
        if (kx >= 0 && kx < KW) acc[i] = _mm256_fmadd_ps(a, w[kx], acc[i]);
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
  auto acc = _mm256_loadu_ps(group);
  const float* weights = group + NR;
  for (size_t ky = 0; ky < args.kernel_h; ++ky) {
    const float* const* column = args.lines[ky] + x * args.stride_w;
    for (size_t kx = 0; kx < args.kernel_w; ++kx, ++column, weights += NR) {
      acc = _mm256_fmadd_ps(_mm256_loadu_ps(*column + c), _mm256_loadu_ps(weights), acc);
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

void dwconv_f32_8x8__avx2(const DwconvF32Args& args) { dwconv_f32(args); }

}  // namespace bitpose
