// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/requantize16_avx2.h"
#include "kernels/igemm_qs16/igemm_qs16.h"

// vpmaddwd adds two products of signed words; only a pair of -32768 * -32768 would leave int32, and
// a weight is a byte. Per row and vector of 8 columns, 2 k: vpmaddwd t, a, b; vpaddd acc, acc, t.
//
//   acc 6x16: ymm0..11   b0, b1 = 16 columns x 2 k   a = one row's 2 k in all lanes   t
//
// Sums of segments stand in memory as float64: a segment has hundreds of steps, so moving them
// there costs nothing.
namespace bitpose {
namespace {

constexpr size_t NR = 16;

template <int MR>
inline void accumulate(__m256i (&acc)[MR][2], const int16_t* const (&rows)[MR], size_t steps,
                       const int16_t* weights) {
  for (size_t step = 0; step < steps; ++step) {
    const __m256i b0 = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights));
    const __m256i b1 = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + 16));
#pragma GCC unroll 8
    for (int r = 0; r < MR; ++r) {
      int32_t pair;
      __builtin_memcpy(&pair, rows[r] + step * 2, sizeof(pair));
      const __m256i a = _mm256_set1_epi32(pair);
      acc[r][0] = _mm256_add_epi32(acc[r][0], _mm256_madd_epi16(a, b0));
      acc[r][1] = _mm256_add_epi32(acc[r][1], _mm256_madd_epi16(a, b1));
    }
    weights += 32;
  }
}

/// Adds the accumulators to `sums` and clears them.
template <int MR>
inline void end_segment(__m256i (&acc)[MR][2], double* sums) {
#pragma GCC unroll 8
  for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      double* sum = sums + (r * 2 + v) * 8;
      const __m256d low = _mm256_cvtepi32_pd(_mm256_castsi256_si128(acc[r][v]));
      const __m256d high = _mm256_cvtepi32_pd(_mm256_extracti128_si256(acc[r][v], 1));
      _mm256_store_pd(sum, _mm256_add_pd(_mm256_load_pd(sum), low));
      _mm256_store_pd(sum + 4, _mm256_add_pd(_mm256_load_pd(sum + 4), high));
      acc[r][v] = _mm256_setzero_si256();
    }
  }
}

inline __m256 rounded_sum(const double* sum) {
  return _mm256_set_m128(_mm256_cvtpd_ps(_mm256_load_pd(sum + 4)),
                         _mm256_cvtpd_ps(_mm256_load_pd(sum)));
}

template <int MR>
inline void tile(const IgemmQs16Args& args, size_t row, const Requantize16Avx2& out) {
  const auto* bias = static_cast<const int32_t*>(args.panel);
  const auto* multiplier = reinterpret_cast<const float*>(bias + NR);
  const auto* weights = reinterpret_cast<const int16_t*>(multiplier + NR);
  const size_t tap_steps = (args.kc + 1) / 2;
  const bool split = args.segment < args.ks * tap_steps;
  alignas(32) double sums[MR * NR];
  if (split) __builtin_memset(sums, 0, sizeof(sums));
  __m256i acc[MR][2];
#pragma GCC unroll 8
  for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      acc[r][v] = _mm256_load_si256(reinterpret_cast<const __m256i*>(bias) + v);
    }
  }
  size_t left = args.segment;
  for (size_t t = 0; t < args.ks; ++t) {
    const int16_t* rows[MR];
#pragma GCC unroll 8
    for (int r = 0; r < MR; ++r) {
      const size_t i = row + static_cast<size_t>(r);
      rows[r] = args.indirection != nullptr ? args.indirection[i * args.ks + t]
                                            : args.a + i * args.a_stride;
    }
    for (size_t rest = tap_steps; rest > 0;) {
      const size_t steps = rest < left ? rest : left;
      accumulate<MR>(acc, rows, steps, weights);
      weights += steps * 32;
      rest -= steps;
      left -= steps;
#pragma GCC unroll 8
      for (int r = 0; r < MR; ++r) rows[r] += steps * 2;
      if (left == 0) {
        left = args.segment;
        if (split) end_segment<MR>(acc, sums);
      }
    }
  }
  if (split) end_segment<MR>(acc, sums);
#pragma GCC unroll 8
  for (int r = 0; r < MR; ++r) {
    const double* sum = sums + r * NR;
    const __m256 low = split ? rounded_sum(sum) : _mm256_cvtepi32_ps(acc[r][0]);
    const __m256 high = split ? rounded_sum(sum + 8) : _mm256_cvtepi32_ps(acc[r][1]);
    const __m256i codes = _mm256_permute4x64_epi64(
        _mm256_packs_epi32(out.codes(low, multiplier), out.codes(high, multiplier + 8)), 0xd8);
    store_codes16(codes, args.narrow, args.dst, (row + static_cast<size_t>(r)) * args.dst_stride,
                  args.n);
  }
}

}  // namespace

void igemm_qs16_6x16c2__avx2(const IgemmQs16Args& args) {
  const Requantize16Avx2 out(args.range);
  size_t row = 0;
  for (; row + 6 <= args.m; row += 6) tile<6>(args, row, out);
  for (; row < args.m; ++row) tile<1>(args, row, out);
}

}  // namespace bitpose
