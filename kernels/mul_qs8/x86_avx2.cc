// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/partial.h"
#include "kernels/base/requantize_avx2.h"
#include "kernels/mul_qs8/mul_qs8.h"

// 16 elements: operands less their zero points fit int16, products take 17 bits: vpmullw and
// vpmulhw give their halves. Interleaving the halves and narrowing keep to 128-bit lanes in the
// same way, so the elements come out in order.
namespace bitpose {
namespace {

class Multiplier {
 public:
  explicit Multiplier(const MulQs8Args& args)
      : a_zero_point_(_mm256_set1_epi16(static_cast<int16_t>(args.a_zero_point))),
        b_zero_point_(_mm256_set1_epi16(static_cast<int16_t>(args.b_zero_point))),
        requantize_(args.multiplier, args.range) {}

  __m256i words(__m128i a, __m128i b) const {
    const __m256i va = _mm256_sub_epi16(_mm256_cvtepi8_epi16(a), a_zero_point_);
    const __m256i vb = _mm256_sub_epi16(_mm256_cvtepi8_epi16(b), b_zero_point_);
    const __m256i low = _mm256_mullo_epi16(va, vb);
    const __m256i high = _mm256_mulhi_epi16(va, vb);
    return requantize_.words(_mm256_unpacklo_epi16(low, high), _mm256_unpackhi_epi16(low, high));
  }

  __m256i codes(__m256i words0, __m256i words1) const {
    return _mm256_permute4x64_epi64(requantize_.codes(words0, words1), 0xd8);
  }

 private:
  __m256i a_zero_point_, b_zero_point_;
  RequantizeAvx2 requantize_;
};

__m128i load(const int8_t* src) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(src)); }

template <bool b_is_scalar>
void multiply(const MulQs8Args& args) {
  const Multiplier product(args);
  const int8_t* a = args.a;
  const int8_t* b = args.b;
  int8_t* dst = args.dst;
  const size_t n = args.n;
  const __m128i vscalar = b_is_scalar ? _mm_set1_epi8(*b) : _mm_setzero_si128();
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i words0 = product.words(load(a + i), b_is_scalar ? vscalar : load(b + i));
    const __m256i words1 =
        product.words(load(a + i + 16), b_is_scalar ? vscalar : load(b + i + 16));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + i), product.codes(words0, words1));
  }
  for (; i < n; i += 8) {
    const size_t count = n - i < 8 ? n - i : 8;
    const auto part = [&](const int8_t* src) {
      return _mm_cvtsi64_si128(static_cast<int64_t>(load_up_to_8(src + i, count)));
    };
    const __m256i words = product.words(part(a), b_is_scalar ? vscalar : part(b));
    const __m128i codes = _mm256_castsi256_si128(product.codes(words, words));
    store_up_to_8(dst + i, static_cast<uint64_t>(_mm_cvtsi128_si64(codes)), count);
  }
}

}  // namespace

void mul_qs8_32__avx2(const MulQs8Args& args) {
  if (args.n == 0) return;
  if (args.b_is_scalar) {
    multiply<true>(args);
  } else {
    multiply<false>(args);
  }
}

}  // namespace bitpose
