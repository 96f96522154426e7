// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/f32_vector_avx2.h"
#include "kernels/gemm_f32/vector.h"

//   acc 6x16: ymm0..11 (row m, columns 0-7 and 8-15)   b0, b1 = one k of 16 columns   a
//
//   k += 1:  b0, b1 <- panel
//     6 x:   vbroadcastss a, [row_m + k] ; vfmadd231ps acc_m0, a, b0 ; vfmadd231ps acc_m1, a, b1
//
// 4x24 has 12 accumulators too, 10x8 has 10. Two FMA pipes of latency 4 need 8 in flight; the loads
// are 8 for 12 FMA (7 for 12, 11 for 10).
namespace bitpose {

void gemm_f32_6x16__avx2(const GemmF32Args& args) { gemm_f32<Columns<F32x8, 2>, 6>(args); }
void gemm_f32_4x24__avx2(const GemmF32Args& args) { gemm_f32<Columns<F32x8, 3>, 4>(args); }
void gemm_f32_10x8__avx2(const GemmF32Args& args) { gemm_f32<Columns<F32x8, 1>, 10>(args); }

}  // namespace bitpose
