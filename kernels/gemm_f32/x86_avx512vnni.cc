// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/gemm_f32/gemm_f32.h"

//   acc 11x32: zmm0..21 (row m, columns 0-15 and 16-31)   b0, b1 = one k of 32 columns   a
//
//   k += 1:  b0, b1 <- panel
//     11 x:  vbroadcastss a, [row_m + k] ; vfmadd231ps acc_m0, a, b0 ; vfmadd231ps acc_m1, a, b1
//
// 8x48 and 6x64 have 24 accumulators. More than 11 rows would not find registers for their
// pointers. A panel may end in a vector of 8 columns (8, 24, 40), which costs half on cores that
// split 512-bit operations in two and nothing more on the others.
namespace bitpose {
namespace {

constexpr int kLanes = 16;
constexpr int kHalf = 8;

/// vmaxps and vminps hand on their second operand when it is NaN and when both are zero, which is
/// what the contract's clamp does.
inline __m512 clamp(__m512 x, float fmin, float fmax) {
  return _mm512_min_ps(_mm512_set1_ps(fmax), _mm512_max_ps(_mm512_set1_ps(fmin), x));
}
inline __m256 clamp(__m256 x, float fmin, float fmax) {
  return _mm256_min_ps(_mm256_set1_ps(fmax), _mm256_max_ps(_mm256_set1_ps(fmin), x));
}

/// Copies the first n columns of a tile of `rows` rows of NR columns.
template <int NR>
void copy_columns(const float* tile, int rows, size_t n, float* dst, size_t dst_stride) {
  for (size_t j = 0; j < n; j += kLanes) {
    const auto mask = static_cast<__mmask16>((1u << (n - j < kLanes ? n - j : kLanes)) - 1);
    for (int r = 0; r < rows; ++r) {
      const __m512 columns = _mm512_maskz_loadu_ps(mask, tile + r * NR + j);
      _mm512_mask_storeu_ps(dst + r * dst_stride + j, mask, columns);
    }
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

/// NZ vectors of 16 columns, then NY (0 or 1) of 8.
template <int MR, int NZ, int NY>
inline void compute_tile(const GemmF32Args& args, size_t row) {
  constexpr int kColumns = NZ * kLanes + NY * kHalf;
  __m512 z[MR][NZ + 1];
  __m256 y[MR];
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < NZ; ++v) z[r][v] = _mm512_loadu_ps(args.panel + v * kLanes);
    if constexpr (NY == 1) y[r] = _mm256_load_ps(args.panel + NZ * kLanes);
  }
  const float* weights = args.panel + kColumns;
  for (size_t t = 0; t < args.ks; ++t) {
    const float* a[MR];
    row_pointers(args, row, t, a);
    for (size_t k = 0; k < args.kc; ++k, weights += kColumns) {
      __m512 bz[NZ + 1];
      __m256 by = _mm256_setzero_ps();
#pragma GCC unroll 4
      for (int v = 0; v < NZ; ++v) bz[v] = _mm512_loadu_ps(weights + v * kLanes);
      if constexpr (NY == 1) by = _mm256_load_ps(weights + NZ * kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < MR; ++r) {
        if constexpr (NZ == 0) {
          y[r] = _mm256_fmadd_ps(_mm256_set1_ps(a[r][k]), by, y[r]);
          continue;
        }
        const __m512 va = _mm512_set1_ps(a[r][k]);
#pragma GCC unroll 4
        for (int v = 0; v < NZ; ++v) z[r][v] = _mm512_fmadd_ps(va, bz[v], z[r][v]);
        if constexpr (NY == 1) y[r] = _mm256_fmadd_ps(_mm512_castps512_ps256(va), by, y[r]);
      }
    }
  }
  alignas(64) float tile[MR * kColumns];
  const bool whole = args.n == kColumns;
  float* dst = args.dst + row * args.dst_stride;
  float* y_row = whole ? dst : tile;
  const size_t y_stride = whole ? args.dst_stride : kColumns;
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r, y_row += y_stride) {
#pragma GCC unroll 4
    for (int v = 0; v < NZ; ++v) {
      _mm512_storeu_ps(y_row + v * kLanes, clamp(z[r][v], args.fmin, args.fmax));
    }
    if constexpr (NY == 1) _mm256_storeu_ps(y_row + NZ * kLanes, clamp(y[r], args.fmin, args.fmax));
  }
  if (!whole) copy_columns<kColumns>(tile, MR, args.n, dst, args.dst_stride);
}

/// The tile of `rows` rows, 1 <= rows <= MR.
template <int MR, int NZ, int NY>
void rows_tile(const GemmF32Args& args, size_t row, size_t rows) {
  if constexpr (MR > 1) {
    if (rows < MR) return rows_tile<MR - 1, NZ, NY>(args, row, rows);
  }
  compute_tile<MR, NZ, NY>(args, row);
}

/// As few tiles as possible, of rows as equal as possible.
template <int MR, int NZ, int NY>
void gemm_f32(const GemmF32Args& args) {
  const size_t tiles = (args.m + MR - 1) / MR;
  const size_t rows = args.m / tiles;
  const size_t taller = args.m % tiles;
  size_t row = 0;
  for (size_t i = 0; i < tiles; ++i) {
    const size_t count = rows + (i < taller ? 1 : 0);
    rows_tile<MR, NZ, NY>(args, row, count);
    row += count;
  }
}

}  // namespace

void gemm_f32_6x64__avx512vnni(const GemmF32Args& args) { gemm_f32<6, 4, 0>(args); }
void gemm_f32_8x48__avx512vnni(const GemmF32Args& args) { gemm_f32<8, 3, 0>(args); }
void gemm_f32_11x32__avx512vnni(const GemmF32Args& args) { gemm_f32<11, 2, 0>(args); }
void gemm_f32_11x24__avx512vnni(const GemmF32Args& args) { gemm_f32<11, 1, 1>(args); }
void gemm_f32_11x16__avx512vnni(const GemmF32Args& args) { gemm_f32<11, 1, 0>(args); }
void gemm_f32_10x8__avx512vnni(const GemmF32Args& args) { gemm_f32<10, 0, 1>(args); }

}  // namespace bitpose
