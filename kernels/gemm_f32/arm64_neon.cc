// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/f32_vector_neon.h"
#include "kernels/gemm_f32/vector.h"

//   acc 5x16: 20 registers (row m, columns 4j..4j+3)   a0..a4 = 4 k of each row   b = 4 columns
//
//   k += 4:  a_m <- row_m
//     4 x (k), 4 x (j):  b <- panel ; 5 x fmla acc_mj, b, a_m.s[k]
//
// Rows stay unpacked: one load serves 4 k. What is left of 32 registers (7 here, 8 for 6x12 and
// 8x8) lets gcc load b early; at 6x16 it would be 2, and gcc 12 spills.
namespace bitpose {
namespace {

/// One k, which stands in lane `LANE` of each row's vector.
template <int LANE, int NV, int MR>
inline void step(Columns<F32x4, NV> (&acc)[MR], const float32x4_t (&a)[MR], const float* weights) {
#pragma GCC unroll 4
  for (int i = 0; i < NV; ++i) {
    const float32x4_t b = vld1q_f32(weights + i * F32x4::kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) acc[r].v[i].v = vfmaq_laneq_f32(acc[r].v[i].v, b, a[r], LANE);
  }
}

/// Preferred to the general one.
template <int NV, int MR>
inline void add_tap(Columns<F32x4, NV> (&acc)[MR], const float* const (&rows)[MR], size_t kc,
                    const float* weights) {
  constexpr size_t kColumns = Columns<F32x4, NV>::kCount;
  float32x4_t a[MR];
  size_t k = 0;
  for (size_t left = kc / 4; left > 0; --left, k += 4, weights += 4 * kColumns) {
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) a[r] = vld1q_f32(rows[r] + k);
    step<0>(acc, a, weights);
    step<1>(acc, a, weights + kColumns);
    step<2>(acc, a, weights + 2 * kColumns);
    step<3>(acc, a, weights + 3 * kColumns);
  }
#pragma GCC unroll 1
  for (; k < kc; ++k, weights += kColumns) {
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) a[r] = vld1q_dup_f32(rows[r] + k);
    step<0>(acc, a, weights);
  }
}

}  // namespace

void gemm_f32_5x16__neon(const GemmF32Args& args) { gemm_f32<Columns<F32x4, 4>, 5>(args); }
void gemm_f32_6x12__neon(const GemmF32Args& args) { gemm_f32<Columns<F32x4, 3>, 6>(args); }
void gemm_f32_8x8__neon(const GemmF32Args& args) { gemm_f32<Columns<F32x4, 2>, 8>(args); }

}  // namespace bitpose
