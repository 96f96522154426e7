// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/base/f32_vector_avx2.h"
#include "kernels/igemm_qs8/igemm_qs8.h"

// AVX2 has no exact product of signed bytes, so two kernels share the work:
//
// sign 2x32c4: |a| * sign(a)w is a product of an unsigned and a signed byte. A pair of them is at
// most 2 * 128 * 127 = 32512 and fits int16, so vpmaddubsw never saturates - provided that no w is
// -128, whose negative is no int8. Per row and vector of 8 columns, 4 k:
//   vpsignb  s, w, a      vpmaddubsw t, |a|, s      vpmaddwd t, t, ones      vpaddd acc, acc, t
// 2x32: acc ymm0..7, a and |a| of two rows, ones, s, t. Small, because a larger tile spills.
//
// wide 4x16c2: weights widened to int16 when packed, activations when loaded, and vpmaddwd: exact
// for all bytes. For layers that hold a -128.
namespace bitpose {
namespace {

constexpr size_t kVector = 8;  ///< int32 columns per vector.

struct Epilogue {
  __m256i zero_point;  ///< int16 lanes.
  __m256i qmin, qmax;  ///< int8 lanes.

  explicit Epilogue(const OutputRange& range)
      : zero_point(_mm256_set1_epi16(static_cast<int16_t>(range.zero_point))),
        qmin(_mm256_set1_epi8(static_cast<int8_t>(range.qmin))),
        qmax(_mm256_set1_epi8(static_cast<int8_t>(range.qmax))) {}
};

inline __m256i scale(__m256i acc, const float* multiplier) {
  return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_load_ps(multiplier)));
}

/// Requantizes two vectors to int16. Saturating narrowing stands for the float clamp: the packer
/// has proved the products bounded.
inline __m256i words(const __m256i* acc, const float* multiplier, const Epilogue& out) {
  return _mm256_adds_epi16(
      _mm256_packs_epi32(scale(acc[0], multiplier), scale(acc[1], multiplier + kVector)),
      out.zero_point);
}

inline __m256i clamp(__m256i codes, const Epilogue& out) {
  return _mm256_min_epi8(_mm256_max_epi8(codes, out.qmin), out.qmax);
}

inline void store_bytes(int8_t* dst, __m256i codes, size_t count) {
  if (count >= 32) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst), codes);
    return;
  }
  alignas(32) int8_t bytes[32];
  _mm256_store_si256(reinterpret_cast<__m256i*>(bytes), codes);
  __builtin_memcpy(dst, bytes, count);
}

/// Lanes of 128 bits: the lower ones of a and b, or the upper ones.
inline F32x8 lower_lanes(F32x8 a, F32x8 b) { return {_mm256_permute2f128_ps(a.v, b.v, 0x20)}; }
inline F32x8 upper_lanes(F32x8 a, F32x8 b) { return {_mm256_permute2f128_ps(a.v, b.v, 0x31)}; }

/// Writes the real results of `rows` rows of NV vectors, which are in the order of the panel. Their
/// sums come through memory, since this is apart from the tile, whose registers it would take.
template <size_t NV>
[[gnu::noinline]] void store_reals(const IgemmQs8Args& args, size_t row, size_t rows,
                                   const int32_t* sums, const float* multiplier) {
  const F32x8 fmin = F32x8::splat(args.fmin), fmax = F32x8::splat(args.fmax);
  float* dst = args.real_dst + row * args.dst_stride;
  for (size_t r = 0; r < rows; ++r, sums += NV * kVector, dst += args.dst_stride) {
    F32x8 x[NV];
#pragma GCC unroll 4
    for (size_t v = 0; v < NV; ++v) {
      const auto* sum = reinterpret_cast<const __m256i*>(sums + v * kVector);
      x[v] = clamp(
          F32x8{_mm256_cvtepi32_ps(_mm256_load_si256(sum))} * F32x8::load(multiplier + v * kVector),
          fmin, fmax);
    }
#pragma GCC unroll 4
    for (size_t v = 0; v < NV; ++v) {
      const size_t column = v * kVector, pair = 2 * v % NV;
      if (args.n <= column) break;
      const F32x8 ordered =
          v < NV / 2 ? lower_lanes(x[pair], x[pair + 1]) : upper_lanes(x[pair], x[pair + 1]);
      if (args.n >= column + kVector) {
        ordered.store(dst + column);
      } else {
        ordered.store_partial(dst + column, args.n - column);
      }
    }
  }
}

/// The same of the sums in registers.
template <size_t MR, size_t NV>
inline void store_reals(const IgemmQs8Args& args, size_t row, const __m256i (&acc)[MR][NV],
                        const float* multiplier) {
  alignas(32) int32_t sums[MR * NV * kVector];
#pragma GCC unroll 4
  for (size_t r = 0; r < MR; ++r) {
#pragma GCC unroll 4
    for (size_t v = 0; v < NV; ++v) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(sums + (r * NV + v) * kVector), acc[r][v]);
    }
  }
  store_reals<NV>(args, row, MR, sums, multiplier);
}

template <int MR>
inline void accumulate_sign(__m256i (&acc)[MR][4], const int8_t* const* rows, size_t kc,
                            const int8_t* weights) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (size_t k = 0; k < kc; k += 4) {
    __m256i a[MR];
    __m256i magnitude[MR];
#pragma GCC unroll 2
    for (int r = 0; r < MR; ++r) {
      int32_t four;
      __builtin_memcpy(&four, rows[r] + k, sizeof(four));
      a[r] = _mm256_set1_epi32(four);
      magnitude[r] = _mm256_abs_epi8(a[r]);
    }
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const __m256i w = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + v * 32));
#pragma GCC unroll 2
      for (int r = 0; r < MR; ++r) {
        const __m256i pairs = _mm256_maddubs_epi16(magnitude[r], _mm256_sign_epi8(w, a[r]));
        acc[r][v] = _mm256_add_epi32(acc[r][v], _mm256_madd_epi16(pairs, ones));
      }
    }
    weights += 128;
  }
}

/// Row `i` under tap `t`.
inline const int8_t* row_at(const IgemmQs8Args& args, size_t i, size_t t) {
  return args.indirection != nullptr ? args.indirection[i * args.ks + t]
                                     : args.a + i * args.a_stride;
}

template <int MR>
inline void sign_tile(const IgemmQs8Args& args, size_t row, const Epilogue& out) {
  const auto* bias = static_cast<const int32_t*>(args.panel);
  const auto* multiplier = reinterpret_cast<const float*>(bias + 32);
  const auto* weights = reinterpret_cast<const int8_t*>(multiplier + 32);
  const size_t tap_bytes = (args.kc + 3) / 4 * 128;
  __m256i acc[MR][4];
#pragma GCC unroll 2
  for (int r = 0; r < MR; ++r) {
    const int32_t row_bias =
        args.row_bias == nullptr ? 0 : args.row_bias[row + static_cast<size_t>(r)];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      acc[r][v] = _mm256_add_epi32(_mm256_load_si256(reinterpret_cast<const __m256i*>(bias) + v),
                                   _mm256_set1_epi32(row_bias));
    }
  }
  for (size_t t = 0; t < args.ks; ++t) {
    const int8_t* rows[MR];
#pragma GCC unroll 2
    for (int r = 0; r < MR; ++r) rows[r] = row_at(args, row + static_cast<size_t>(r), t);
    accumulate_sign<MR>(acc, rows, args.kc, weights + t * tap_bytes);
  }
  if (args.real_dst != nullptr) return store_reals(args, row, acc, multiplier);
  int8_t* dst = args.dst + row * args.dst_stride;
#pragma GCC unroll 2
  for (int r = 0; r < MR; ++r) {
    const __m256i codes =
        _mm256_packs_epi16(words(acc[r], multiplier, out), words(acc[r] + 2, multiplier + 16, out));
    store_bytes(dst + static_cast<size_t>(r) * args.dst_stride, clamp(codes, out), args.n);
  }
}

/// Activations of 4 rows widened to int16, a block of k at a time, so that a pair can be broadcast.
constexpr size_t kWideBlock = 64;

inline void widen(const int8_t* src, size_t count, int16_t* dst) {
  for (size_t k = 0; k < count; k += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(src + k));
    _mm256_store_si256(reinterpret_cast<__m256i*>(dst + k), _mm256_cvtepi8_epi16(bytes));
  }
}

template <int MR>
inline void accumulate_wide(__m256i (&acc)[MR][2], const int8_t* const* rows, size_t kc,
                            const int16_t* weights) {
  alignas(32) int16_t wide[MR][kWideBlock];
  for (size_t first = 0; first < kc; first += kWideBlock) {
    const size_t count = kc - first < kWideBlock ? kc - first : kWideBlock;
#pragma GCC unroll 4
    for (int r = 0; r < MR; ++r) widen(rows[r] + first, count, wide[r]);
    for (size_t k = 0; k < count; k += 2) {
      const __m256i w0 = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights));
      const __m256i w1 = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + 16));
      weights += 32;
#pragma GCC unroll 4
      for (int r = 0; r < MR; ++r) {
        int32_t pair;
        __builtin_memcpy(&pair, &wide[r][k], sizeof(pair));
        const __m256i a = _mm256_set1_epi32(pair);
        acc[r][0] = _mm256_add_epi32(acc[r][0], _mm256_madd_epi16(a, w0));
        acc[r][1] = _mm256_add_epi32(acc[r][1], _mm256_madd_epi16(a, w1));
      }
    }
  }
}

template <int MR>
inline void wide_tile(const IgemmQs8Args& args, size_t row, const Epilogue& out) {
  const auto* bias = static_cast<const int32_t*>(args.panel);
  const auto* multiplier = reinterpret_cast<const float*>(bias + 16);
  const auto* weights = reinterpret_cast<const int16_t*>(multiplier + 16);
  const size_t tap_words = (args.kc + 1) / 2 * 32;
  __m256i acc[MR][2];
#pragma GCC unroll 4
  for (int r = 0; r < MR; ++r) {
    const int32_t row_bias =
        args.row_bias == nullptr ? 0 : args.row_bias[row + static_cast<size_t>(r)];
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      acc[r][v] = _mm256_add_epi32(_mm256_load_si256(reinterpret_cast<const __m256i*>(bias) + v),
                                   _mm256_set1_epi32(row_bias));
    }
  }
  for (size_t t = 0; t < args.ks; ++t) {
    const int8_t* rows[MR];
#pragma GCC unroll 4
    for (int r = 0; r < MR; ++r) rows[r] = row_at(args, row + static_cast<size_t>(r), t);
    accumulate_wide<MR>(acc, rows, args.kc, weights + t * tap_words);
  }
  if (args.real_dst != nullptr) return store_reals(args, row, acc, multiplier);
  int8_t* dst = args.dst + row * args.dst_stride;
#pragma GCC unroll 4
  for (int r = 0; r < MR; ++r) {
    const __m256i low = words(acc[r], multiplier, out);
    // Two vectors fill half of each 128-bit lane: 8 bytes of lane 0, then 8 bytes of lane 1.
    const __m256i codes = _mm256_permute4x64_epi64(clamp(_mm256_packs_epi16(low, low), out), 0x08);
    store_bytes(dst + static_cast<size_t>(r) * args.dst_stride, codes, args.n < 16 ? args.n : 16);
  }
}

}  // namespace

void igemm_qs8_2x32c4__avx2(const IgemmQs8Args& args) {
  const Epilogue out(args.range);
  size_t row = 0;
  for (; row + 2 <= args.m; row += 2) sign_tile<2>(args, row, out);
  if (row < args.m) sign_tile<1>(args, row, out);
}

void igemm_qs8_4x16c2__avx2(const IgemmQs8Args& args) {
  const Epilogue out(args.range);
  size_t row = 0;
  for (; row + 4 <= args.m; row += 4) wide_tile<4>(args, row, out);
  for (; row < args.m; ++row) wide_tile<1>(args, row, out);
}

}  // namespace bitpose
