// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/base/f32_vector_avx512.h"
#include "kernels/igemm_qs8/igemm_qs8.h"

// vpdpbusd multiplies unsigned by signed bytes, four at a time into int32, without saturation. The
// unsigned operand is the activation + 128, made by flipping its top bit; the packed bias holds the
// correction -128 * sum(w).
//
//   acc 6x64: zmm0..23   b0..b3 = 64 columns x 4 k   a = one row's 4 k in all lanes   flip =
//   0x80...
//
//   k += 4:  b0..b3 <- panel
//     6 x:   vpxord a, flip, [row_m + k]{1to16}          broadcast and +128 in one instruction
//            4 x vpdpbusd acc_mn, a, b_n
//
// The wide tiles amortize the loads of b over MR rows and those of a over NV vectors; 24
// accumulators and the operands fill the 32 registers. Which tile a layer gets follows from its
// number of columns.
namespace bitpose {
namespace {

constexpr size_t kLane = 16;  ///< int32 columns per vector.

/// gcc 12 copies and spills accumulators around the intrinsic; this is the bare instruction.
inline void dot_accumulate(__m512i& acc, __m512i a, __m512i b) {
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
}

inline __m512i broadcast_flipped(const int8_t* src, __m512i flip) {
  __m512i a;
  asm("vpxord %1%{1to16%}, %2, %0"
      : "=v"(a)
      : "m"(*reinterpret_cast<const int32_t (*)[1]>(src)), "v"(flip));
  return a;
}

struct Epilogue {
  __m512i zero_point;  ///< int16 lanes.
  __m512i qmin, qmax;  ///< int8 lanes.

  explicit Epilogue(const OutputRange& range)
      : zero_point(_mm512_set1_epi16(static_cast<int16_t>(range.zero_point))),
        qmin(_mm512_set1_epi8(static_cast<int8_t>(range.qmin))),
        qmax(_mm512_set1_epi8(static_cast<int8_t>(range.qmax))) {}

  __m512i clamp(__m512i codes) const { return _mm512_min_epi8(_mm512_max_epi8(codes, qmin), qmax); }
};

inline __m512i scale(__m512i acc, const float* multiplier) {
  return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(acc), _mm512_load_ps(multiplier)));
}

inline __mmask64 first_bytes(size_t count) {
  return count >= 64 ? ~__mmask64{0} : (__mmask64{1} << count) - 1;
}

/// Requantizes 64 columns held by four vectors. Saturating narrowing and integer clamps stand for
/// the float clamp: the packer has proved the products bounded. The packs interleave 128-bit lanes,
/// which the packed column order undoes.
inline __m512i narrow4(const __m512i* acc, const float* multiplier, const Epilogue& out) {
  const __m512i low = _mm512_packs_epi32(scale(acc[0], multiplier), scale(acc[1], multiplier + 16));
  const __m512i high =
      _mm512_packs_epi32(scale(acc[2], multiplier + 32), scale(acc[3], multiplier + 48));
  return out.clamp(_mm512_packs_epi16(_mm512_adds_epi16(low, out.zero_point),
                                      _mm512_adds_epi16(high, out.zero_point)));
}

inline __m256i narrow2(const __m512i* acc, const float* multiplier, const Epilogue& out) {
  const __m512i words = _mm512_adds_epi16(
      _mm512_packs_epi32(scale(acc[0], multiplier), scale(acc[1], multiplier + 16)),
      out.zero_point);
  const __m256i codes = _mm512_cvtsepi16_epi8(words);
  return _mm256_min_epi8(_mm256_max_epi8(codes, _mm512_castsi512_si256(out.qmin)),
                         _mm512_castsi512_si256(out.qmax));
}

inline __m128i narrow1(const __m512i* acc, const float* multiplier, const Epilogue& out) {
  const __m256i words = _mm256_adds_epi16(_mm512_cvtsepi32_epi16(scale(acc[0], multiplier)),
                                          _mm512_castsi512_si256(out.zero_point));
  const __m128i codes = _mm256_cvtsepi16_epi8(words);
  return _mm_min_epi8(_mm_max_epi8(codes, _mm512_castsi512_si128(out.qmin)),
                      _mm512_castsi512_si128(out.qmax));
}

/// Requantizes and stores the first `n` columns of a row of NV vectors.
template <int NV>
inline void store_row(const __m512i* acc, const float* multiplier, const Epilogue& out, int8_t* dst,
                      size_t n) {
  constexpr int kFours = NV / 4;
  constexpr int kAfterFours = 4 * kFours;
  if constexpr (kFours == 1) {
    const __m512i codes = narrow4(acc, multiplier, out);
    if (n >= 64) {
      _mm512_storeu_si512(dst, codes);
    } else {
      _mm512_mask_storeu_epi8(dst, first_bytes(n), codes);
    }
  }
  if constexpr (NV % 4 >= 2) {
    constexpr size_t kFirst = kAfterFours * kLane;
    const __m256i codes = narrow2(acc + kAfterFours, multiplier + kFirst, out);
    if (n >= kFirst + 32) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + kFirst), codes);
    } else if (n > kFirst) {
      _mm256_mask_storeu_epi8(dst + kFirst, static_cast<__mmask32>(first_bytes(n - kFirst)), codes);
    }
  }
  if constexpr (NV % 2 == 1) {
    constexpr size_t kFirst = (NV - 1) * kLane;
    const __m128i codes = narrow1(acc + NV - 1, multiplier + kFirst, out);
    if (n >= kFirst + 16) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + kFirst), codes);
    } else if (n > kFirst) {
      _mm_mask_storeu_epi8(dst + kFirst, static_cast<__mmask16>(first_bytes(n - kFirst)), codes);
    }
  }
}

/// kChoice: two lanes of 128 bits of a, then two of b, as in vshuff32x4.
template <int kChoice>
inline F32x16 choose_lanes(F32x16 a, F32x16 b) {
  return {_mm512_shuffle_f32x4(a.v, b.v, kChoice)};
}

/// From the order of the panel to that of the columns: groups of four vectors, of two, of one.
template <int NV>
inline void order_columns(F32x16* x) {
  constexpr int kLower = 0x44, kUpper = 0xee, kEven = 0x88, kOdd = 0xdd;
  if constexpr (NV >= 4) {
    const F32x16 a = choose_lanes<kLower>(x[0], x[1]), b = choose_lanes<kLower>(x[2], x[3]);
    const F32x16 c = choose_lanes<kUpper>(x[0], x[1]), d = choose_lanes<kUpper>(x[2], x[3]);
    x[0] = choose_lanes<kEven>(a, b);
    x[1] = choose_lanes<kOdd>(a, b);
    x[2] = choose_lanes<kEven>(c, d);
    x[3] = choose_lanes<kOdd>(c, d);
  }
  if constexpr (NV % 4 >= 2) {
    constexpr int kMiddleSwapped = 0xd8;
    F32x16* pair = x + NV / 4 * 4;
    const F32x16 a = choose_lanes<kLower>(pair[0], pair[1]);
    const F32x16 b = choose_lanes<kUpper>(pair[0], pair[1]);
    pair[0] = choose_lanes<kMiddleSwapped>(a, a);
    pair[1] = choose_lanes<kMiddleSwapped>(b, b);
  }
}

/// Writes the real results of `rows` rows. Their sums come through memory, since this is apart from
/// the tile, whose registers it would take.
template <int NV>
[[gnu::noinline]] void store_reals(const IgemmQs8Args& args, size_t row, size_t rows,
                                   const int32_t* sums, const float* multiplier) {
  const F32x16 fmin = F32x16::splat(args.fmin), fmax = F32x16::splat(args.fmax);
  float* dst = args.real_dst + row * args.dst_stride;
  for (size_t r = 0; r < rows; ++r, sums += NV * kLane, dst += args.dst_stride) {
    F32x16 x[NV];
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) {
      const F32x16 sum = {_mm512_cvtepi32_ps(_mm512_load_si512(sums + v * kLane))};
      x[v] = clamp(sum * F32x16::load(multiplier + v * kLane), fmin, fmax);
    }
    order_columns<NV>(x);
#pragma GCC unroll 8
    for (size_t v = 0; v < NV; ++v) {
      const size_t column = v * kLane;
      if (args.n >= column + kLane) {
        x[v].store(dst + column);
      } else if (args.n > column) {
        x[v].store_partial(dst + column, args.n - column);
      }
    }
  }
}

template <int MR, int NV>
inline void accumulate_block(__m512i (&acc)[MR][NV], const int8_t* const* rows, size_t k,
                             const int8_t* weights, __m512i flip) {
  __m512i b[NV];
#pragma GCC unroll 8
  for (int v = 0; v < NV; ++v) b[v] = _mm512_load_si512(weights + v * 64);
#pragma GCC unroll 32
  for (int r = 0; r < MR; ++r) {
    const __m512i a = broadcast_flipped(rows[r] + k, flip);
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) dot_accumulate(acc[r][v], a, b[v]);
  }
}

/// MR rows at equal distances: every third row has a pointer, which leaves registers for the tile.
template <int MR, int NV>
inline const int8_t* accumulate_rows(__m512i (&acc)[MR][NV], const int8_t* a, size_t stride,
                                     size_t kc, const int8_t* weights, __m512i flip) {
  constexpr int kPointers = (MR + 2) / 3;
  const int8_t* rows[kPointers];
#pragma GCC unroll 8
  for (int p = 0; p < kPointers; ++p) rows[p] = a + 3 * static_cast<size_t>(p) * stride;
  for (size_t k = 0; k < kc; k += 4) {
    __m512i b[NV];
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) b[v] = _mm512_load_si512(weights + v * 64);
#pragma GCC unroll 32
    for (int r = 0; r < MR; ++r) {
      const __m512i va = broadcast_flipped(rows[r / 3] + static_cast<size_t>(r % 3) * stride, flip);
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v) dot_accumulate(acc[r][v], va, b[v]);
    }
#pragma GCC unroll 8
    for (int p = 0; p < kPointers; ++p) rows[p] += 4;
    weights += NV * 64;
  }
  return weights;
}

/// MR rows through the indirection buffer, tap by tap.
template <int MR, int NV>
inline void accumulate_taps(__m512i (&acc)[MR][NV], const int8_t* const* indirection, size_t ks,
                            size_t kc, const int8_t* weights, __m512i flip) {
  for (size_t t = 0; t < ks; ++t) {
    const int8_t* rows[MR];
#pragma GCC unroll 32
    for (int r = 0; r < MR; ++r) rows[r] = indirection[static_cast<size_t>(r) * ks + t];
    for (size_t k = 0; k < kc; k += 4) {
      accumulate_block(acc, rows, k, weights, flip);
      weights += NV * 64;
    }
  }
}

template <int MR, int NV>
inline void tile(const IgemmQs8Args& args, size_t row, const Epilogue& out) {
  const auto* bias = static_cast<const int32_t*>(args.panel);
  const auto* multiplier = reinterpret_cast<const float*>(bias + NV * kLane);
  const auto* weights = reinterpret_cast<const int8_t*>(multiplier + NV * kLane);
  const __m512i flip = _mm512_set1_epi8(-128);
  __m512i acc[MR][NV];
#pragma GCC unroll 32
  for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) acc[r][v] = _mm512_load_si512(bias + v * kLane);
  }
  if (args.row_bias != nullptr) {
#pragma GCC unroll 32
    for (int r = 0; r < MR; ++r) {
      const __m512i row_bias = _mm512_set1_epi32(args.row_bias[row + static_cast<size_t>(r)]);
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v) acc[r][v] = _mm512_add_epi32(acc[r][v], row_bias);
    }
  }
  if (args.indirection == nullptr) {
    accumulate_rows<MR, NV>(acc, args.a + row * args.a_stride, args.a_stride, args.kc, weights,
                            flip);
  } else {
    accumulate_taps<MR, NV>(acc, args.indirection + row * args.ks, args.ks, args.kc, weights, flip);
  }
  if (args.real_dst != nullptr) [[unlikely]] {
    alignas(64) int32_t sums[MR * NV * kLane];
#pragma GCC unroll 32
    for (size_t r = 0; r < MR; ++r) {
#pragma GCC unroll 8
      for (size_t v = 0; v < NV; ++v) {
        _mm512_store_si512(sums + (r * NV + v) * kLane, acc[r][v]);
      }
    }
    store_reals<NV>(args, row, MR, sums, multiplier);
    return;
  }
  int8_t* dst = args.dst + row * args.dst_stride;
#pragma GCC unroll 32
  for (int r = 0; r < MR; ++r) {
    store_row<NV>(acc[r], multiplier, out, dst + static_cast<size_t>(r) * args.dst_stride, args.n);
  }
}

/// Whole tiles; the last one overlaps its neighbour backwards and computes some rows again. Fewer
/// rows than a tile go one by one.
template <int MR, int NV>
inline void igemm(const IgemmQs8Args& args) {
  const Epilogue out(args.range);
  if (args.m < MR) {
    for (size_t row = 0; row < args.m; ++row) tile<1, NV>(args, row, out);
    return;
  }
  size_t row = 0;
  for (; row + MR <= args.m; row += MR) tile<MR, NV>(args, row, out);
  if (row < args.m) tile<MR, NV>(args, args.m - MR, out);
}

}  // namespace

void igemm_qs8_6x64c4__avx512vnni(const IgemmQs8Args& args) { igemm<6, 4>(args); }
void igemm_qs8_5x80c4__avx512vnni(const IgemmQs8Args& args) { igemm<5, 5>(args); }
void igemm_qs8_4x96c4__avx512vnni(const IgemmQs8Args& args) { igemm<4, 6>(args); }
void igemm_qs8_8x48c4__avx512vnni(const IgemmQs8Args& args) { igemm<8, 3>(args); }
void igemm_qs8_14x32c4__avx512vnni(const IgemmQs8Args& args) { igemm<14, 2>(args); }
/// gcc 12 would call this tile, which costs a shallow layer a tenth of its time.
[[gnu::flatten]] void igemm_qs8_24x16c4__avx512vnni(const IgemmQs8Args& args) {
  igemm<24, 1>(args);
}

}  // namespace bitpose
