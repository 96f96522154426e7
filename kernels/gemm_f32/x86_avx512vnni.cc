// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/f32_vector_avx512.h"
#include "kernels/gemm_f32/vector.h"

//   acc 11x32: zmm0..21 (row m, columns 0-15 and 16-31)   b0, b1 = one k of 32 columns   a
//
//   k += 1:  b0, b1 <- panel
//     11 x:  vbroadcastss a, [row_m + k] ; vfmadd231ps acc_m0, a, b0 ; vfmadd231ps acc_m1, a, b1
//
// 8x48 and 6x64 have 24 accumulators. More than 11 rows would not find registers for their
// pointers.
namespace bitpose {
namespace {

/// A vector of 16 and one of 8, which costs half on cores that split 512-bit operations in two and
/// nothing more on the others.
struct Columns24 {
  static constexpr size_t kCount = 24;
  using Widest = F32x16;
  using Narrowest = F32x8;
  Columns<F32x16, 1> wide;
  Columns<F32x8, 1> narrow;

  static Columns24 load(const float* src) {
    return {Columns<F32x16, 1>::load(src), Columns<F32x8, 1>::load(src + 16)};
  }
  void store(float* dst, float fmin, float fmax) const {
    wide.store(dst, fmin, fmax);
    narrow.store(dst + 16, fmin, fmax);
  }
  void add_products(F32x16 a, const Columns24& b) {
    wide.add_products(a, b.wide);
    narrow.add_products({_mm512_castps512_ps256(a.v)}, b.narrow);
  }
};

}  // namespace

void gemm_f32_6x64__avx512vnni(const GemmF32Args& args) { gemm_f32<Columns<F32x16, 4>, 6>(args); }
void gemm_f32_8x48__avx512vnni(const GemmF32Args& args) { gemm_f32<Columns<F32x16, 3>, 8>(args); }
void gemm_f32_11x32__avx512vnni(const GemmF32Args& args) { gemm_f32<Columns<F32x16, 2>, 11>(args); }
void gemm_f32_11x24__avx512vnni(const GemmF32Args& args) { gemm_f32<Columns24, 11>(args); }
void gemm_f32_11x16__avx512vnni(const GemmF32Args& args) { gemm_f32<Columns<F32x16, 1>, 11>(args); }
void gemm_f32_10x8__avx512vnni(const GemmF32Args& args) { gemm_f32<Columns<F32x8, 1>, 10>(args); }

}  // namespace bitpose
