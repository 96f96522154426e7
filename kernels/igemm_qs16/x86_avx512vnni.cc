// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/igemm_qs16/igemm_qs16.h"

// vpdpwssd adds two products of signed words to an int32, without saturation.
//
//   acc 6x64: zmm0..23   b0..b3 = 64 columns x 2 k   a = one row's 2 k in all lanes
//
//   k += 2:  b0..b3 <- panel
//     6 x:   vpbroadcastd a, [row_m + k]
//            4 x vpdpwssd acc_mn, a, b_n
//
// Sums of segments stand in memory as float64: a segment has hundreds of steps, so moving them
// there costs nothing.
namespace bitpose {
namespace {

constexpr size_t kLane = 16;  ///< int32 columns per vector.

/// gcc 12 copies and spills accumulators around the intrinsic; this is the bare instruction.
inline void dot_accumulate(__m512i& acc, __m512i a, __m512i b) {
  asm("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
}

inline __m512i broadcast_pair(const int16_t* src) {
  int32_t pair;
  __builtin_memcpy(&pair, src, sizeof(pair));
  return _mm512_set1_epi32(pair);
}

struct Epilogue {
  __m512 low, high;
  __m512i zero_point;

  explicit Epilogue(const OutputRange& range)
      : low(_mm512_set1_ps(static_cast<float>(range.qmin - range.zero_point))),
        high(_mm512_set1_ps(static_cast<float>(range.qmax - range.zero_point))),
        zero_point(_mm512_set1_epi32(range.zero_point)) {}

  __m512i codes(__m512 acc, const float* multiplier) const {
    const __m512 x = _mm512_mul_ps(acc, _mm512_load_ps(multiplier));
    return _mm512_add_epi32(_mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(x, low), high)),
                            zero_point);
  }
};

/// Stores the first `count` of 16 codes.
inline void store(__m512i codes, const IgemmQs16Args& args, size_t at, size_t count) {
  const auto mask = static_cast<__mmask16>(count >= kLane ? 0xffff : (1u << count) - 1);
  if (args.narrow) {
    _mm_mask_storeu_epi8(static_cast<int8_t*>(args.dst) + at, mask, _mm512_cvtepi32_epi8(codes));
  } else {
    _mm256_mask_storeu_epi16(static_cast<int16_t*>(args.dst) + at, mask,
                             _mm512_cvtepi32_epi16(codes));
  }
}

/// Steps [0, steps) of MR rows that start at `rows`.
template <int MR, int NV>
inline void accumulate(__m512i (&acc)[MR][NV], const int16_t* const (&rows)[MR], size_t steps,
                       const int16_t* weights) {
  for (size_t step = 0; step < steps; ++step) {
    __m512i b[NV];
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) b[v] = _mm512_load_si512(weights + v * 32);
#pragma GCC unroll 32
    for (int r = 0; r < MR; ++r) {
      const __m512i a = broadcast_pair(rows[r] + step * 2);
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v) dot_accumulate(acc[r][v], a, b[v]);
    }
    weights += NV * 32;
  }
}

inline __m512d real_half(__m512i acc, int half) {
  return _mm512_cvtepi32_pd(half == 0 ? _mm512_castsi512_si256(acc)
                                      : _mm512_extracti64x4_epi64(acc, 1));
}

/// Adds the accumulators to `sums` and clears them.
template <int MR, int NV>
inline void end_segment(__m512i (&acc)[MR][NV], double* sums) {
#pragma GCC unroll 32
  for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) {
#pragma GCC unroll 2
      for (int half = 0; half < 2; ++half) {
        double* sum = sums + (r * NV + v) * 16 + half * 8;
        _mm512_store_pd(sum, _mm512_add_pd(_mm512_load_pd(sum), real_half(acc[r][v], half)));
      }
      acc[r][v] = _mm512_setzero_si512();
    }
  }
}

inline __m512 rounded_sum(const double* sum) {
  const __m256 low = _mm512_cvtpd_ps(_mm512_load_pd(sum));
  const __m256 high = _mm512_cvtpd_ps(_mm512_load_pd(sum + 8));
  return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
}

template <int MR, int NV>
inline void tile(const IgemmQs16Args& args, size_t row, const Epilogue& out) {
  const auto* bias = static_cast<const int32_t*>(args.panel);
  const auto* multiplier = reinterpret_cast<const float*>(bias + NV * kLane);
  const auto* weights = reinterpret_cast<const int16_t*>(multiplier + NV * kLane);
  const size_t tap_steps = (args.kc + 1) / 2;
  const bool split = args.segment < args.ks * tap_steps;
  alignas(64) double sums[MR * NV * 16];
  if (split) __builtin_memset(sums, 0, sizeof(sums));
  __m512i acc[MR][NV];
#pragma GCC unroll 32
  for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) acc[r][v] = _mm512_load_si512(bias + v * kLane);
  }
  size_t left = args.segment;
  for (size_t t = 0; t < args.ks; ++t) {
    const int16_t* rows[MR];
#pragma GCC unroll 32
    for (int r = 0; r < MR; ++r) {
      const size_t i = row + static_cast<size_t>(r);
      rows[r] = args.indirection != nullptr ? args.indirection[i * args.ks + t]
                                            : args.a + i * args.a_stride;
    }
    for (size_t rest = tap_steps; rest > 0;) {
      const size_t steps = rest < left ? rest : left;
      accumulate<MR, NV>(acc, rows, steps, weights);
      weights += steps * NV * 32;
      rest -= steps;
      left -= steps;
#pragma GCC unroll 32
      for (int r = 0; r < MR; ++r) rows[r] += steps * 2;
      if (left == 0) {
        left = args.segment;
        if (split) end_segment<MR, NV>(acc, sums);
      }
    }
  }
  if (split) end_segment<MR, NV>(acc, sums);
#pragma GCC unroll 32
  for (int r = 0; r < MR; ++r) {
    const size_t at = (row + static_cast<size_t>(r)) * args.dst_stride;
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) {
      const size_t first = v * kLane;
      if (args.n <= first) break;
      const __m512 real =
          split ? rounded_sum(sums + (r * NV + v) * 16) : _mm512_cvtepi32_ps(acc[r][v]);
      store(out.codes(real, multiplier + first), args, at + first, args.n - first);
    }
  }
}

/// Whole tiles; the last one overlaps its neighbour backwards and computes some rows again. Fewer
/// rows than a tile go one by one.
template <int MR, int NV>
inline void igemm(const IgemmQs16Args& args) {
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

void igemm_qs16_6x64c2__avx512vnni(const IgemmQs16Args& args) { igemm<6, 4>(args); }
void igemm_qs16_8x48c2__avx512vnni(const IgemmQs16Args& args) { igemm<8, 3>(args); }
void igemm_qs16_12x32c2__avx512vnni(const IgemmQs16Args& args) { igemm<12, 2>(args); }
void igemm_qs16_12x16c2__avx512vnni(const IgemmQs16Args& args) { igemm<12, 1>(args); }

}  // namespace bitpose
