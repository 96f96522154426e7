// SPDX-License-Identifier: Apache-2.0
#include <arm_neon.h>

#include "kernels/gemm_f32/gemm_f32.h"

//   acc 5x16: 20 registers (row m, columns 4j..4j+3)   a0..a4 = 4 k of each row   b = 4 columns
//
//   k += 4:  a_m <- row_m
//     4 x (k), 4 x (j):  b <- panel ; 5 x fmla acc_mj, b, a_m.s[k]
//
// Rows stay unpacked: one load serves 4 k. What is left of 32 registers (7 here, 8 for 6x12 and
// 8x8) lets gcc load b early; at 6x16 it would be 2, and gcc 12 spills.
namespace bitpose {
namespace {

constexpr size_t kLanes = 4;

/// fmax and fmin would order zeros by their sign, so the contract's clamp is compare and select.
inline float32x4_t clamp(float32x4_t x, float32x4_t fmin, float32x4_t fmax) {
  x = vbslq_f32(vcltq_f32(x, fmin), fmin, x);
  return vbslq_f32(vcgtq_f32(x, fmax), fmax, x);
}

/// Copies the first n columns of a tile of `rows` rows of NR columns.
template <int NR>
void copy_columns(const float* tile, int rows, size_t n, float* dst, size_t dst_stride) {
  for (int r = 0; r < rows; ++r, tile += NR, dst += dst_stride) {
    size_t j = 0;
    for (; j + 4 <= n; j += 4) vst1q_f32(dst + j, vld1q_f32(tile + j));
    for (; j < n; ++j) dst[j] = tile[j];
  }
}

/// One k, which stands in lane `LANE` of each row's vector.
template <int LANE, int MR, int NV>
inline void step(float32x4_t (&acc)[MR][NV], const float32x4_t (&a)[MR], const float* weights) {
#pragma GCC unroll 8
  for (int v = 0; v < NV; ++v) {
    const float32x4_t b = vld1q_f32(weights + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) acc[r][v] = vfmaq_laneq_f32(acc[r][v], b, a[r], LANE);
  }
}

/// Where tap t of each row of a tile starts.
template <int MR>
inline void row_pointers(const GemmF32Args& args, size_t row, size_t t, const float* (&rows)[MR]) {
  if (args.indirection != nullptr) {
    const float* const* tap = args.indirection + row * args.ks + t;
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r, tap += args.ks) rows[r] = *tap;
  } else {
    const float* start = args.a + row * args.a_stride;
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r, start += args.a_stride) rows[r] = start;
  }
}

template <int MR, int NV>
inline void compute_tile(const GemmF32Args& args, size_t row) {
  constexpr size_t kColumns = NV * kLanes;
  float32x4_t acc[MR][NV];
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) acc[r][v] = vld1q_f32(args.panel + v * kLanes);
  }
  const float* weights = args.panel + kColumns;
  for (size_t t = 0; t < args.ks; ++t) {
    const float* rows[MR];
    row_pointers(args, row, t, rows);
    float32x4_t a[MR];
    size_t k = 0;
    for (; k + 4 <= args.kc; k += 4, weights += 4 * kColumns) {
#pragma GCC unroll 16
      for (int r = 0; r < MR; ++r) a[r] = vld1q_f32(rows[r] + k);
      step<0>(acc, a, weights);
      step<1>(acc, a, weights + kColumns);
      step<2>(acc, a, weights + 2 * kColumns);
      step<3>(acc, a, weights + 3 * kColumns);
    }
    for (; k < args.kc; ++k, weights += kColumns) {
#pragma GCC unroll 16
      for (int r = 0; r < MR; ++r) a[r] = vld1q_dup_f32(rows[r] + k);
      step<0>(acc, a, weights);
    }
  }
  const float32x4_t fmin = vdupq_n_f32(args.fmin);
  const float32x4_t fmax = vdupq_n_f32(args.fmax);
  float tile[MR * kColumns];
  const bool whole = args.n == kColumns;
  float* dst = args.dst + row * args.dst_stride;
  float* y_row = whole ? dst : tile;
  const size_t y_stride = whole ? args.dst_stride : kColumns;
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r, y_row += y_stride) {
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) vst1q_f32(y_row + v * kLanes, clamp(acc[r][v], fmin, fmax));
  }
  if (!whole) copy_columns<kColumns>(tile, MR, args.n, dst, args.dst_stride);
}

/// The tile of `rows` rows, 1 <= rows <= MR.
template <int MR, int NV>
void rows_tile(const GemmF32Args& args, size_t row, size_t rows) {
  if constexpr (MR > 1) {
    if (rows < MR) return rows_tile<MR - 1, NV>(args, row, rows);
  }
  compute_tile<MR, NV>(args, row);
}

/// As few tiles as possible, of rows as equal as possible.
template <int MR, int NV>
void gemm_f32(const GemmF32Args& args) {
  const size_t tiles = (args.m + MR - 1) / MR;
  const size_t rows = args.m / tiles;
  const size_t taller = args.m % tiles;
  size_t row = 0;
  for (size_t i = 0; i < tiles; ++i) {
    const size_t count = rows + (i < taller ? 1 : 0);
    rows_tile<MR, NV>(args, row, count);
    row += count;
  }
}

}  // namespace

void gemm_f32_5x16__neon(const GemmF32Args& args) { gemm_f32<5, 4>(args); }
void gemm_f32_6x12__neon(const GemmF32Args& args) { gemm_f32<6, 3>(args); }
void gemm_f32_8x8__neon(const GemmF32Args& args) { gemm_f32<8, 2>(args); }

}  // namespace bitpose
