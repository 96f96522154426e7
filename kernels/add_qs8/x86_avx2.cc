// SPDX-License-Identifier: Apache-2.0
#include "kernels/add_qs8/add_qs8.h"
#include "kernels/base/binary_qs8_avx2.h"

// 16 elements: a and b widened to int16, interleaved to pairs (a, b) and multiplied by the pair
// (Ma, Mb) with vpmaddwd. The interleaving and the narrowing keep to 128-bit lanes in the same way,
// so the elements come out in order.
namespace bitpose {
namespace {

struct Add {
  __m256i pair, bias;
  RequantizeAvx2 requantize;

  explicit Add(const AddQs8Args& args)
      : pair(_mm256_set1_epi32((args.a_multiplier & 0xffff) |
                               static_cast<int32_t>(uint32_t(args.b_multiplier) << 16))),
        bias(_mm256_set1_epi32(args.bias)),
        requantize(args.multiplier, args.range) {}

  __m256i words(__m128i a, __m128i b) const {
    const __m256i va = _mm256_cvtepi8_epi16(a);
    const __m256i vb = _mm256_cvtepi8_epi16(b);
    return requantize.words(acc(_mm256_unpacklo_epi16(va, vb)), acc(_mm256_unpackhi_epi16(va, vb)));
  }
  __m256i acc(__m256i pairs) const {
    return _mm256_add_epi32(_mm256_madd_epi16(pairs, pair), bias);
  }
};

}  // namespace

void add_qs8_32__avx2(const AddQs8Args& args) { binary_qs8<Add>(args); }

}  // namespace bitpose
