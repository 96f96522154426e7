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

/// Stores the first n lanes, 1 <= n < 8. vmaskmovps stores are microcoded on some cores.
inline void store_first(float* dst, __m256 values, size_t n) {
  __m128 rest = _mm256_castps256_ps128(values);
  if ((n & 4) != 0) {
    _mm_storeu_ps(dst, rest);
    rest = _mm256_extractf128_ps(values, 1);
    dst += 4;
  }
  if ((n & 2) != 0) {
    _mm_storel_pi(reinterpret_cast<__m64*>(dst), rest);
    rest = _mm_movehl_ps(rest, rest);
    dst += 2;
  }
  if ((n & 1) != 0) _mm_store_ss(dst, rest);
}

/// vmaxps and vminps hand on their second operand when it is NaN and when both are zero, which is
/// what the contract's clamp does.
inline __m256 clamp(__m256 x, __m256 fmin, __m256 fmax) {
  return _mm256_min_ps(fmax, _mm256_max_ps(fmin, x));
}

template <int MR, int NV>
inline void tile(const GemmF32Args& args, size_t row) {
  __m256 acc[MR][NV];
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) acc[r][v] = _mm256_load_ps(args.panel + v * kLanes);
  }
  const float* weights = args.panel + NV * kLanes;
  for (size_t t = 0; t < args.ks; ++t) {
    const float* a[MR];
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
      a[r] = args.indirection != nullptr ? args.indirection[(row + r) * args.ks + t]
                                         : args.a + (row + r) * args.a_stride;
    }
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
  float* dst = args.dst + row * args.dst_stride;
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r, dst += args.dst_stride) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      const __m256 y = clamp(acc[r][v], fmin, fmax);
      if (args.n >= (v + 1) * kLanes) {
        _mm256_storeu_ps(dst + v * kLanes, y);
      } else if (args.n > v * kLanes) {
        store_first(dst + v * kLanes, y, args.n - v * kLanes);
      }
    }
  }
}

/// The tile of `rows` rows, 1 <= rows <= MR.
template <int MR, int NV>
void rows_tile(const GemmF32Args& args, size_t row, size_t rows) {
  if constexpr (MR > 1) {
    if (rows < MR) return rows_tile<MR - 1, NV>(args, row, rows);
  }
  tile<MR, NV>(args, row);
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
