// SPDX-License-Identifier: Apache-2.0
#include "kernels/add_qs8/add_qs8.h"
#include "kernels/base/partial.h"
#include "kernels/base/requantize_avx2.h"

// 16 elements: a and b widened to int16, interleaved to pairs (a, b) and multiplied by the pair
// (Ma, Mb) with vpmaddwd. The interleaving and the narrowing keep to 128-bit lanes in the same way,
// so the elements come out in order.
namespace bitpose {
namespace {

class Adder {
 public:
  explicit Adder(const AddQs8Args& args)
      : pair_(_mm256_set1_epi32((args.a_multiplier & 0xffff) |
                                static_cast<int32_t>(uint32_t(args.b_multiplier) << 16))),
        bias_(_mm256_set1_epi32(args.bias)),
        requantize_(args.multiplier, args.range) {}

  __m256i words(__m128i a, __m128i b) const {
    const __m256i va = _mm256_cvtepi8_epi16(a);
    const __m256i vb = _mm256_cvtepi8_epi16(b);
    return requantize_.words(acc(_mm256_unpacklo_epi16(va, vb)),
                             acc(_mm256_unpackhi_epi16(va, vb)));
  }

  __m256i codes(__m256i words0, __m256i words1) const {
    return _mm256_permute4x64_epi64(requantize_.codes(words0, words1), 0xd8);
  }

 private:
  __m256i acc(__m256i pairs) const {
    return _mm256_add_epi32(_mm256_madd_epi16(pairs, pair_), bias_);
  }

  __m256i pair_, bias_;
  RequantizeAvx2 requantize_;
};

__m128i load(const int8_t* src) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(src)); }

template <bool b_is_scalar>
void add(const AddQs8Args& args) {
  const Adder adder(args);
  const int8_t* a = args.a;
  const int8_t* b = args.b;
  int8_t* dst = args.dst;
  const size_t n = args.n;
  const __m128i vscalar = b_is_scalar ? _mm_set1_epi8(*b) : _mm_setzero_si128();
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i words0 = adder.words(load(a + i), b_is_scalar ? vscalar : load(b + i));
    const __m256i words1 = adder.words(load(a + i + 16), b_is_scalar ? vscalar : load(b + i + 16));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + i), adder.codes(words0, words1));
  }
  for (; i < n; i += 8) {
    const size_t count = n - i < 8 ? n - i : 8;
    const auto part = [&](const int8_t* src) {
      return _mm_cvtsi64_si128(static_cast<int64_t>(load_up_to_8(src + i, count)));
    };
    const __m256i words = adder.words(part(a), b_is_scalar ? vscalar : part(b));
    const __m128i codes = _mm256_castsi256_si128(adder.codes(words, words));
    store_up_to_8(dst + i, static_cast<uint64_t>(_mm_cvtsi128_si64(codes)), count);
  }
}

}  // namespace

void add_qs8_32__avx2(const AddQs8Args& args) {
  if (args.n == 0) return;
  if (args.b_is_scalar) {
    add<true>(args);
  } else {
    add<false>(args);
  }
}

}  // namespace bitpose
