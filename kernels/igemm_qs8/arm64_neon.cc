// SPDX-License-Identifier: Apache-2.0
#include <arm_neon.h>

#include "kernels/base/f32_vector_neon.h"
#include "kernels/igemm_qs8/igemm_qs8.h"

// ARMv8.0 multiplies bytes into int16 and adds pairs of int16 into int32. The panel holds pairs of
// k of 4 columns in 8 bytes, so SADALP adds a pair of k of one column and the accumulator's lanes
// are columns.
//
//   acc 4x16: v16..v31 = [row][4 columns]     B: one pair of k of 16 columns = 2 q registers
//   per row and pair of k:  dup a.8h   smull t0, b0.8b, a   smull2 t1, b0, a   smull t2, b1 smull2
//   t3, b1
//                           (2nd pair: smlal)               every 2nd pair: 4 x sadalp acc, t
//
// 4x16c2 lets two products share an int16: at most 2 * 128 * 127 = 32512, right for any activations
// as long as no weight is -128. 2x16c2 adds every product at once and takes any byte.
//
// FCVTNS saturates, so integer clamps after it equal the float clamp whatever the accumulator is.
namespace bitpose {
namespace {

constexpr size_t NR = 16;

inline void store_lanes(int8_t* dst, int8x16_t codes, size_t count) {
  if (count >= NR) {
    vst1q_s8(dst, codes);
  } else {
    int8_t bytes[NR];
    vst1q_s8(bytes, codes);
    __builtin_memcpy(dst, bytes, count);
  }
}

inline int32x4_t scale(int32x4_t acc, const float* multiplier) {
  return vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(acc), vld1q_f32(multiplier)));
}

inline int8x16_t requantize_row(const int32x4_t* acc, const float* multiplier,
                                const OutputRange& range) {
  const int16x8_t zero_point = vdupq_n_s16(static_cast<int16_t>(range.zero_point));
  const int16x8_t low = vcombine_s16(vqmovn_s32(scale(acc[0], multiplier)),
                                     vqmovn_s32(scale(acc[1], multiplier + 4)));
  const int16x8_t high = vcombine_s16(vqmovn_s32(scale(acc[2], multiplier + 8)),
                                      vqmovn_s32(scale(acc[3], multiplier + 12)));
  const int8x16_t codes = vcombine_s8(vqmovn_s16(vqaddq_s16(low, zero_point)),
                                      vqmovn_s16(vqaddq_s16(high, zero_point)));
  return vminq_s8(vmaxq_s8(codes, vdupq_n_s8(static_cast<int8_t>(range.qmin))),
                  vdupq_n_s8(static_cast<int8_t>(range.qmax)));
}

/// Writes the real results of `rows` rows. Their sums come through memory, since this is apart from
/// the tile, whose registers it would take.
[[gnu::noinline]] void store_reals(const IgemmQs8Args& args, size_t row, size_t rows,
                                   const int32_t* sums, const float* multiplier) {
  const F32x4 fmin = F32x4::splat(args.fmin), fmax = F32x4::splat(args.fmax);
  float* dst = args.real_dst + row * args.dst_stride;
  for (size_t r = 0; r < rows; ++r, sums += NR, dst += args.dst_stride) {
    for (size_t j = 0; j < args.n; j += 4) {
      const F32x4 sum = {vcvtq_f32_s32(vld1q_s32(sums + j))};
      const F32x4 x = clamp(sum * F32x4::load(multiplier + j), fmin, fmax);
      x.store_partial(dst + j, args.n - j);
    }
  }
}

/// Products of one pair of k with 16 columns.
struct Products {
  int16x8_t t0, t1, t2, t3;
};

inline Products multiply(int8x16_t b0, int8x16_t b1, int8x16_t a) {
  return {vmull_s8(vget_low_s8(b0), vget_low_s8(a)), vmull_high_s8(b0, a),
          vmull_s8(vget_low_s8(b1), vget_low_s8(a)), vmull_high_s8(b1, a)};
}

inline void multiply_add(Products& p, int8x16_t b0, int8x16_t b1, int8x16_t a) {
  p.t0 = vmlal_s8(p.t0, vget_low_s8(b0), vget_low_s8(a));
  p.t1 = vmlal_high_s8(p.t1, b0, a);
  p.t2 = vmlal_s8(p.t2, vget_low_s8(b1), vget_low_s8(a));
  p.t3 = vmlal_high_s8(p.t3, b1, a);
}

inline void add_pairs(int32x4_t* acc, const Products& p) {
  acc[0] = vpadalq_s16(acc[0], p.t0);
  acc[1] = vpadalq_s16(acc[1], p.t1);
  acc[2] = vpadalq_s16(acc[2], p.t2);
  acc[3] = vpadalq_s16(acc[3], p.t3);
}

/// One pair of k from the first two bytes at `src`, in all lanes.
inline int8x16_t broadcast_pair(const int8_t* src) {
  return vreinterpretq_s8_s16(vld1q_dup_s16(reinterpret_cast<const int16_t*>(src)));
}

template <int MR, bool kShare>
inline const int8_t* accumulate(int32x4_t (&acc)[MR][4], const int8_t* const* rows, size_t kc,
                                const int8_t* weights) {
  size_t k = 0;
  for (; k + 8 <= kc; k += 8) {
    int8x16_t b[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) b[i] = vld1q_s8(weights + i * 16);
    weights += 128;
#pragma GCC unroll 4
    for (int r = 0; r < MR; ++r) {
      const int16x4_t a = vreinterpret_s16_s8(vld1_s8(rows[r] + k));
      const int8x16_t a0 = vreinterpretq_s8_s16(vdupq_lane_s16(a, 0));
      const int8x16_t a1 = vreinterpretq_s8_s16(vdupq_lane_s16(a, 1));
      const int8x16_t a2 = vreinterpretq_s8_s16(vdupq_lane_s16(a, 2));
      const int8x16_t a3 = vreinterpretq_s8_s16(vdupq_lane_s16(a, 3));
      Products p = multiply(b[0], b[1], a0);
      if constexpr (kShare) {
        multiply_add(p, b[2], b[3], a1);
        add_pairs(acc[r], p);
        p = multiply(b[4], b[5], a2);
        multiply_add(p, b[6], b[7], a3);
      } else {
        add_pairs(acc[r], p);
        add_pairs(acc[r], multiply(b[2], b[3], a1));
        add_pairs(acc[r], multiply(b[4], b[5], a2));
        p = multiply(b[6], b[7], a3);
      }
      add_pairs(acc[r], p);
    }
  }
  for (; k < kc; k += 2) {
    const int8x16_t b0 = vld1q_s8(weights);
    const int8x16_t b1 = vld1q_s8(weights + 16);
    weights += 32;
#pragma GCC unroll 4
    for (int r = 0; r < MR; ++r) {
      add_pairs(acc[r], multiply(b0, b1, broadcast_pair(rows[r] + k)));
    }
  }
  return weights;
}

template <int MR, bool kShare>
inline void tile(const IgemmQs8Args& args, size_t row) {
  const auto* bias = static_cast<const int32_t*>(args.panel);
  const auto* multiplier = reinterpret_cast<const float*>(bias + NR);
  const auto* weights = reinterpret_cast<const int8_t*>(multiplier + NR);
  int32x4_t acc[MR][4];
#pragma GCC unroll 4
  for (int r = 0; r < MR; ++r) {
    const int32_t row_bias =
        args.row_bias == nullptr ? 0 : args.row_bias[row + static_cast<size_t>(r)];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      acc[r][j] = vaddq_s32(vld1q_s32(bias + 4 * j), vdupq_n_s32(row_bias));
    }
  }
  for (size_t t = 0; t < args.ks; ++t) {
    const int8_t* rows[MR];
#pragma GCC unroll 4
    for (int r = 0; r < MR; ++r) {
      const size_t i = row + static_cast<size_t>(r);
      rows[r] = args.indirection != nullptr ? args.indirection[i * args.ks + t]
                                            : args.a + i * args.a_stride;
    }
    weights = accumulate<MR, kShare>(acc, rows, args.kc, weights);
  }
  if (args.real_dst != nullptr) {
    int32_t sums[MR * NR];
#pragma GCC unroll 4
    for (size_t r = 0; r < MR; ++r) {
#pragma GCC unroll 4
      for (size_t j = 0; j < 4; ++j) vst1q_s32(sums + r * NR + 4 * j, acc[r][j]);
    }
    store_reals(args, row, MR, sums, multiplier);
    return;
  }
#pragma GCC unroll 4
  for (int r = 0; r < MR; ++r) {
    store_lanes(args.dst + (row + static_cast<size_t>(r)) * args.dst_stride,
                requantize_row(acc[r], multiplier, args.range), args.n);
  }
}

template <int MR, bool kShare>
inline void igemm(const IgemmQs8Args& args) {
  size_t row = 0;
  for (; row + MR <= args.m; row += MR) tile<MR, kShare>(args, row);
  for (; row < args.m; ++row) tile<1, kShare>(args, row);
}

}  // namespace

void igemm_qs8_4x16c2__neon(const IgemmQs8Args& args) { igemm<4, true>(args); }
void igemm_qs8_2x16c2__neon(const IgemmQs8Args& args) { igemm<2, false>(args); }

}  // namespace bitpose
