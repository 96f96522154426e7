// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/binary_qs8_avx2.h"
#include "kernels/mul_qs8/mul_qs8.h"

// 16 elements: operands less their zero points fit int16, products take 17 bits: vpmullw and
// vpmulhw give their halves. Interleaving the halves and narrowing keep to 128-bit lanes in the
// same way, so the elements come out in order.
namespace bitpose {
namespace {

struct Mul {
  __m256i a_zero_point, b_zero_point;
  RequantizeAvx2 requantize;

  explicit Mul(const MulQs8Args& args)
      : a_zero_point(_mm256_set1_epi16(static_cast<int16_t>(args.a_zero_point))),
        b_zero_point(_mm256_set1_epi16(static_cast<int16_t>(args.b_zero_point))),
        requantize(args.multiplier, args.range) {}

  __m256i words(__m128i a, __m128i b) const {
    const __m256i va = _mm256_sub_epi16(_mm256_cvtepi8_epi16(a), a_zero_point);
    const __m256i vb = _mm256_sub_epi16(_mm256_cvtepi8_epi16(b), b_zero_point);
    const __m256i low = _mm256_mullo_epi16(va, vb);
    const __m256i high = _mm256_mulhi_epi16(va, vb);
    return requantize.words(_mm256_unpacklo_epi16(low, high), _mm256_unpackhi_epi16(low, high));
  }
};

}  // namespace

void mul_qs8_32__avx2(const MulQs8Args& args) { binary_qs8<Mul>(args); }

}  // namespace bitpose
