// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/gemm_f32/gemm_f32.h"

//   acc 6x16: ymm0..11 (row m, columns 0-7 and 8-15)   b0, b1 = one k of 16 columns   a
//
//   k += 1:  b0, b1 <- panel
//     6 x:   vbroadcastss a, [row_m + k] ; vfmadd231ps acc_m0, a, b0 ; vfmadd231ps acc_m1, a, b1
//
// 4x24 and 12x8 have 12 accumulators too. Two FMA pipes of latency 4 need 8 in flight; the loads
// are 8 for 12 FMA (7, 13).
namespace bitpose {
namespace {

constexpr size_t kLanes = 8;

/// Copies the first n columns of a tile of `rows` rows of NR columns.
template <int NR>
void copy_columns(const float* tile, int rows, size_t n, float* dst, size_t dst_stride) {
  for (int r = 0; r < rows; ++r, tile += NR, dst += dst_stride) {
    size_t j = 0;
    for (; j + 4 <= n; j += 4) _mm_storeu_ps(dst + j, _mm_load_ps(tile + j));
    for (; j < n; ++j) dst[j] = tile[j];
  }
}

/// vmaxps and vminps hand on their second operand when it is NaN and when both are zero, which is
/// what the contract's clamp does.
inline __m256 clamp(__m256 x, __m256 fmin, __m256 fmax) {
  return _mm256_min_ps(fmax, _mm256_max_ps(fmin, x));
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
  __m256 acc[MR][NV];
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) acc[r][v] = _mm256_load_ps(args.panel + v * kLanes);
  }
  const float* weights = args.panel + NV * kLanes;
  for (size_t t = 0; t < args.ks; ++t) {
    const float* a[MR];
    row_pointers(args, row, t, a);
    for (size_t k = 0; k < args.kc; ++k, weights += NV * kLanes) {
      __m256 b[NV];
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) b[v] = _mm256_load_ps(weights + v * kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < MR; ++r) {
        const __m256 va = _mm256_broadcast_ss(a[r] + k);
#pragma GCC unroll 4
        for (int v = 0; v < NV; ++v) acc[r][v] = _mm256_fmadd_ps(va, b[v], acc[r][v]);
      }
    }
  }
  const __m256 fmin = _mm256_set1_ps(args.fmin);
  const __m256 fmax = _mm256_set1_ps(args.fmax);
  alignas(32) float tile[MR * NV * kLanes];
  const bool whole = args.n == NV * kLanes;
  float* dst = args.dst + row * args.dst_stride;
  float* y_row = whole ? dst : tile;
  const size_t y_stride = whole ? args.dst_stride : NV * kLanes;
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r, y_row += y_stride) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      _mm256_storeu_ps(y_row + v * kLanes, clamp(acc[r][v], fmin, fmax));
    }
  }
  if (!whole) copy_columns<NV * kLanes>(tile, MR, args.n, dst, args.dst_stride);
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

void gemm_f32_6x16__avx2(const GemmF32Args& args) { gemm_f32<6, 2>(args); }
void gemm_f32_4x24__avx2(const GemmF32Args& args) { gemm_f32<4, 3>(args); }
void gemm_f32_10x8__avx2(const GemmF32Args& args) { gemm_f32<10, 1>(args); }

}  // namespace bitpose
