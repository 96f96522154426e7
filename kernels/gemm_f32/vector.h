// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/base/f32_vector.h"
#include "kernels/gemm_f32/gemm_f32.h"

// Register tiles of MR rows of columns, and the walk over them. In an unnamed namespace: see
// kernels/base/requantize.h.
namespace bitpose {
namespace {

/// Neighbouring columns of one row or one k: NV vectors.
template <typename V, int NV>
struct Columns {
  static constexpr size_t kCount = NV * V::kLanes;
  using Widest = V;
  using Narrowest = V;
  V v[NV];

  static Columns load(const float* src) {
    Columns columns;
#pragma GCC unroll 4
    for (int i = 0; i < NV; ++i) columns.v[i] = V::load(src + i * V::kLanes);
    return columns;
  }
  void store(float* dst, float fmin, float fmax) const {
#pragma GCC unroll 4
    for (int i = 0; i < NV; ++i) {
      clamp(v[i], V::splat(fmin), V::splat(fmax)).store(dst + i * V::kLanes);
    }
  }
  void add_products(V a, const Columns& b) {
#pragma GCC unroll 4
    for (int i = 0; i < NV; ++i) v[i] = fma(a, b.v[i], v[i]);
  }
};

/// One tap: acc += rows * weights.
template <typename Columns, int MR>
inline void add_tap(Columns (&acc)[MR], const float* const (&rows)[MR], size_t kc,
                    const float* weights) {
  for (size_t k = 0; k < kc; ++k, weights += Columns::kCount) {
    const Columns b = Columns::load(weights);
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) acc[r].add_products(Columns::Widest::splat(rows[r][k]), b);
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

/// Copies the first n columns of a tile of `rows` rows of NR columns.
template <typename V, size_t NR>
void copy_columns(const float* tile, int rows, size_t n, float* dst, size_t dst_stride) {
  for (int r = 0; r < rows; ++r, tile += NR, dst += dst_stride) {
    size_t j = 0;
    for (; j + V::kLanes <= n; j += V::kLanes) V::load(tile + j).store(dst + j);
    if (j < n) V::load(tile + j).store_partial(dst + j, n - j);
  }
}

template <typename Columns, int MR>
inline void compute_tile(const GemmF32Args& args, size_t row) {
  constexpr size_t kColumns = Columns::kCount;
  Columns acc[MR];
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) acc[r] = Columns::load(args.panel);
  const float* weights = args.panel + kColumns;
  for (size_t t = 0; t < args.ks; ++t, weights += args.kc * kColumns) {
    const float* rows[MR];
    row_pointers(args, row, t, rows);
    add_tap(acc, rows, args.kc, weights);
  }
  alignas(Columns) float tile[MR * kColumns];
  const bool whole = args.n == kColumns;
  float* dst = args.dst + row * args.dst_stride;
  float* to = whole ? dst : tile;
  const size_t stride = whole ? args.dst_stride : kColumns;
  const float fmin = args.fmin;
  const float fmax = args.fmax;
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r, to += stride) acc[r].store(to, fmin, fmax);
  if (!whole)
    copy_columns<typename Columns::Narrowest, kColumns>(tile, MR, args.n, dst, args.dst_stride);
}

/// The tile of `rows` rows, 1 <= rows <= MR.
template <typename Columns, int MR>
void rows_tile(const GemmF32Args& args, size_t row, size_t rows) {
  if constexpr (MR > 1) {
    if (rows < MR) return rows_tile<Columns, MR - 1>(args, row, rows);
  }
  compute_tile<Columns, MR>(args, row);
}

/// As few tiles as possible, of rows as equal as possible.
template <typename Columns, int MR>
void gemm_f32(const GemmF32Args& args) {
  const size_t tiles = (args.m + MR - 1) / MR;
  const size_t rows = args.m / tiles;
  const size_t taller = args.m % tiles;
  size_t row = 0;
  for (size_t i = 0; i < tiles; ++i) {
    const size_t count = rows + (i < taller ? 1 : 0);
    rows_tile<Columns, MR>(args, row, count);
    row += count;
  }
}

}  // namespace
}  // namespace bitpose
