// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/requantize16_neon.h"
#include "kernels/igemm_qs16/igemm_qs16.h"

// SMLAL by element multiplies 4 words by one and adds to 4 int32: exact, and lanes are columns.
//
//   acc 4x16: v16..v31 = [row][4 columns]     b: 16 columns of one k = 2 q registers
//   a: 8 k of 4 rows = 4 q registers          per k and row: 2 x smlal, 2 x smlal2
//
// Sums of segments stand in memory as float64: a segment has hundreds of steps, so moving them
// there costs nothing.
namespace bitpose {
namespace {

constexpr size_t NR = 16;

template <int LANE>
inline void multiply_add(int32x4_t* acc, const int16x8_t (&b)[2], int16x8_t a) {
  acc[0] = vmlal_laneq_s16(acc[0], vget_low_s16(b[0]), a, LANE);
  acc[1] = vmlal_high_laneq_s16(acc[1], b[0], a, LANE);
  acc[2] = vmlal_laneq_s16(acc[2], vget_low_s16(b[1]), a, LANE);
  acc[3] = vmlal_high_laneq_s16(acc[3], b[1], a, LANE);
}

template <int MR, int LANE>
inline void step(int32x4_t (&acc)[MR][4], const int16x8_t (&a)[MR], const int16_t* weights) {
  const int16x8_t b[2] = {vld1q_s16(weights + LANE * NR), vld1q_s16(weights + LANE * NR + 8)};
#pragma GCC unroll 4
  for (int r = 0; r < MR; ++r) multiply_add<LANE>(acc[r], b, a[r]);
}

template <int MR>
inline void accumulate(int32x4_t (&acc)[MR][4], const int16_t* const (&rows)[MR], size_t steps,
                       const int16_t* weights) {
  size_t k = 0;
  for (; k + 8 <= steps; k += 8) {
    int16x8_t a[MR];
#pragma GCC unroll 4
    for (int r = 0; r < MR; ++r) a[r] = vld1q_s16(rows[r] + k);
    step<MR, 0>(acc, a, weights);
    step<MR, 1>(acc, a, weights);
    step<MR, 2>(acc, a, weights);
    step<MR, 3>(acc, a, weights);
    step<MR, 4>(acc, a, weights);
    step<MR, 5>(acc, a, weights);
    step<MR, 6>(acc, a, weights);
    step<MR, 7>(acc, a, weights);
    weights += 8 * NR;
  }
  for (; k < steps; ++k, weights += NR) {
    int16x8_t a[MR];
#pragma GCC unroll 4
    for (int r = 0; r < MR; ++r) a[r] = vld1q_dup_s16(rows[r] + k);
    step<MR, 0>(acc, a, weights);
  }
}

/// Adds the accumulators to `sums` and clears them.
template <int MR>
inline void end_segment(int32x4_t (&acc)[MR][4], double* sums) {
#pragma GCC unroll 4
  for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      double* sum = sums + (r * 4 + v) * 4;
      const float64x2_t low = vcvtq_f64_s64(vmovl_s32(vget_low_s32(acc[r][v])));
      const float64x2_t high = vcvtq_f64_s64(vmovl_high_s32(acc[r][v]));
      vst1q_f64(sum, vaddq_f64(vld1q_f64(sum), low));
      vst1q_f64(sum + 2, vaddq_f64(vld1q_f64(sum + 2), high));
      acc[r][v] = vdupq_n_s32(0);
    }
  }
}

inline float32x4_t rounded_sum(const double* sum) {
  return vcvt_high_f32_f64(vcvt_f32_f64(vld1q_f64(sum)), vld1q_f64(sum + 2));
}

inline void store_row(const int32x4_t (&acc)[4], const double* sums, const float* multiplier,
                      const Requantize16Neon& out, const IgemmQs16Args& args, size_t at) {
  float32x4_t real[4];
#pragma GCC unroll 4
  for (int v = 0; v < 4; ++v) {
    real[v] = sums != nullptr ? rounded_sum(sums + v * 4) : vcvtq_f32_s32(acc[v]);
  }
  store_codes16(out.codes(real[0], real[1], multiplier), args.narrow, args.dst, at, args.n);
  if (args.n <= 8) return;
  store_codes16(out.codes(real[2], real[3], multiplier + 8), args.narrow, args.dst, at + 8,
                args.n - 8);
}

template <int MR>
inline void tile(const IgemmQs16Args& args, size_t row, const Requantize16Neon& out) {
  const auto* bias = static_cast<const int32_t*>(args.panel);
  const auto* multiplier = reinterpret_cast<const float*>(bias + NR);
  const auto* weights = reinterpret_cast<const int16_t*>(multiplier + NR);
  const bool split = args.segment < args.ks * args.kc;
  double sums[MR * NR];
  if (split) __builtin_memset(sums, 0, sizeof(sums));
  int32x4_t acc[MR][4];
#pragma GCC unroll 4
  for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) acc[r][v] = vld1q_s32(bias + 4 * v);
  }
  size_t left = args.segment;
  for (size_t t = 0; t < args.ks; ++t) {
    const int16_t* rows[MR];
#pragma GCC unroll 4
    for (int r = 0; r < MR; ++r) {
      const size_t i = row + static_cast<size_t>(r);
      rows[r] = args.indirection != nullptr ? args.indirection[i * args.ks + t]
                                            : args.a + i * args.a_stride;
    }
    for (size_t rest = args.kc; rest > 0;) {
      const size_t steps = rest < left ? rest : left;
      accumulate<MR>(acc, rows, steps, weights);
      weights += steps * NR;
      rest -= steps;
      left -= steps;
#pragma GCC unroll 4
      for (int r = 0; r < MR; ++r) rows[r] += steps;
      if (left == 0) {
        left = args.segment;
        if (split) end_segment<MR>(acc, sums);
      }
    }
  }
  if (split) end_segment<MR>(acc, sums);
#pragma GCC unroll 4
  for (int r = 0; r < MR; ++r) {
    store_row(acc[r], split ? sums + static_cast<size_t>(r) * NR : nullptr, multiplier, out, args,
              (row + static_cast<size_t>(r)) * args.dst_stride);
  }
}

}  // namespace

void igemm_qs16_4x16c1__neon(const IgemmQs16Args& args) {
  const Requantize16Neon out(args.range);
  size_t row = 0;
  for (; row + 4 <= args.m; row += 4) tile<4>(args, row, out);
  for (; row < args.m; ++row) tile<1>(args, row, out);
}

}  // namespace bitpose
