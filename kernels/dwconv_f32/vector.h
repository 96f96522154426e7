// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/base/f32_vector.h"
#include "kernels/dwconv_f32/dwconv_f32.h"

// A vector of channels of 8 neighbouring output pixels at a time, for every filter row:
//
//   acc[8]   w[kernel_w] = the weights of the row   a
//   for each input column under the 8 windows:  a <- pixel ; one fma per window over it
//
// Columns ascend, so every accumulator takes its taps in the contract's order, and an input is
// loaded once for kernel_w / stride windows. 8 chains cover the latency of the FMA pipes.
//
// In an unnamed namespace: see kernels/base/requantize.h.
namespace bitpose {
namespace {

/// Out of line to keep the hot loops small.
template <typename V>
__attribute__((noinline)) void store_partial(float* dst, V x, size_t count) {
  x.store_partial(dst, count);
}

template <typename V>
inline void store(float* dst, V acc, const DwconvF32Args& args, size_t count) {
  const V x = clamp(acc, V::splat(args.fmin), V::splat(args.fmax));
  if (count >= V::kLanes) {
    x.store(dst);
  } else {
    store_partial(dst, x, count);
  }
}

/// XR output pixels from x on, one group of NR channels from c on, of which V holds those that are
/// left. KW and S are the filter's width and stride.
template <typename V, size_t NR, int KW, int S, int XR>
inline void pixels(const DwconvF32Args& args, size_t x, size_t c, const float* group) {
  V acc[XR];
#pragma GCC unroll 8
  for (int i = 0; i < XR; ++i) acc[i] = V::load(group);
  const float* weights = group + NR;
  for (size_t ky = 0; ky < args.kernel_h; ++ky, weights += KW * NR) {
    const float* const* columns = args.lines[ky] + x * S;
    V w[KW];
#pragma GCC unroll 8
    for (int kx = 0; kx < KW; ++kx) w[kx] = V::load(weights + kx * NR);
#pragma GCC unroll 32
    for (int j = 0; j < (XR - 1) * S + KW; ++j) {
      const V a = V::load(columns[j] + c);
#pragma GCC unroll 8
      for (int i = 0; i < XR; ++i) {
        const int kx = j - i * S;
        if (kx >= 0 && kx < KW) acc[i] = fma(a, w[kx], acc[i]);
      }
    }
  }
  float* dst = args.dst + x * args.dst_stride + c;
#pragma GCC unroll 8
  for (int i = 0; i < XR; ++i) store(dst + i * args.dst_stride, acc[i], args, args.channels - c);
}

/// One output pixel of any filter.
template <typename V, size_t NR>
inline void pixel(const DwconvF32Args& args, size_t x, size_t c, const float* group) {
  V acc = V::load(group);
  const float* weights = group + NR;
  for (size_t ky = 0; ky < args.kernel_h; ++ky) {
    const float* const* column = args.lines[ky] + x * args.stride_w;
    for (size_t kx = 0; kx < args.kernel_w; ++kx, ++column, weights += NR) {
      acc = fma(V::load(*column + c), V::load(weights), acc);
    }
  }
  store(args.dst + x * args.dst_stride + c, acc, args, args.channels - c);
}

/// One group of channels of the row; the last tile overlaps the one before.
template <typename V, size_t NR, int KW, int S>
inline void group_row(const DwconvF32Args& args, size_t c, const float* group) {
  size_t x = 0;
  if constexpr (KW != 0) {
    for (; x + 8 <= args.output_w; x += 8) pixels<V, NR, KW, S, 8>(args, x, c, group);
    if (args.output_w >= 4) {
      for (; x + 4 <= args.output_w; x += 4) pixels<V, NR, KW, S, 4>(args, x, c, group);
      if (x < args.output_w) pixels<V, NR, KW, S, 4>(args, args.output_w - 4, c, group);
      return;
    }
  }
  for (; x < args.output_w; ++x) pixel<V, NR>(args, x, c, group);
}

/// KW = 0 stands for any filter.
template <typename V, typename Narrow, int KW, int S>
void row(const DwconvF32Args& args) {
  constexpr size_t kGroup = V::kLanes;
  const size_t group_floats = (1 + args.kernel_h * args.kernel_w) * kGroup;
  const float* group = args.packed;
  for (size_t c = 0; c < args.channels; c += kGroup, group += group_floats) {
    if (Narrow::kLanes < kGroup && args.channels - c <= Narrow::kLanes) {
      group_row<Narrow, kGroup, KW, S>(args, c, group);
    } else {
      group_row<V, kGroup, KW, S>(args, c, group);
    }
  }
}

/// Groups of V::kLanes channels; a vector of type Narrow is enough for few at the end.
template <typename V, typename Narrow = V>
void dwconv_f32(const DwconvF32Args& args) {
  const size_t stride = args.stride_w;
  if (stride == 1 && args.kernel_w == 1) return row<V, Narrow, 1, 1>(args);
  if (stride == 1 && args.kernel_w == 3) return row<V, Narrow, 3, 1>(args);
  if (stride == 2 && args.kernel_w == 3) return row<V, Narrow, 3, 2>(args);
  if (stride == 1 && args.kernel_w == 5) return row<V, Narrow, 5, 1>(args);
  if (stride == 2 && args.kernel_w == 5) return row<V, Narrow, 5, 2>(args);
  if (stride == 1 && args.kernel_w == 7) return row<V, Narrow, 7, 1>(args);
  if (stride == 2 && args.kernel_w == 7) return row<V, Narrow, 7, 2>(args);
  return row<V, Narrow, 0, 0>(args);
}

}  // namespace
}  // namespace bitpose
