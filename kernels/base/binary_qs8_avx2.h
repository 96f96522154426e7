// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/base/partial.h"
#include "kernels/base/requantize_avx2.h"

// For files compiled with AVX2 only: everything is in an unnamed namespace.
namespace bitpose {
namespace {

/// dst(i) = code of an operator of a(i) and b(i), or of a(i) and b(0).
///
///   Operator(const Args& args)
///   requantize                          a RequantizeAvx2
///   words(__m128i a, __m128i b) const   requantize.words of 16 elements, in order
template <typename Operator, bool b_is_scalar, typename Args>
inline void binary_qs8(const Args& args) {
  const Operator op(args);
  const int8_t* a = args.a;
  const int8_t* b = args.b;
  int8_t* dst = args.dst;
  const size_t n = args.n;
  const auto load = [](const int8_t* src) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(src));
  };
  const auto codes = [&](__m256i words0, __m256i words1) {
    return _mm256_permute4x64_epi64(op.requantize.codes(words0, words1), 0xd8);
  };
  const __m128i vscalar = b_is_scalar ? _mm_set1_epi8(*b) : _mm_setzero_si128();
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i words0 = op.words(load(a + i), b_is_scalar ? vscalar : load(b + i));
    const __m256i words1 = op.words(load(a + i + 16), b_is_scalar ? vscalar : load(b + i + 16));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + i), codes(words0, words1));
  }
  for (; i < n; i += 8) {
    const size_t count = n - i < 8 ? n - i : 8;
    const auto part = [&](const int8_t* src) {
      return _mm_cvtsi64_si128(static_cast<int64_t>(load_up_to_8(src + i, count)));
    };
    const __m256i words = op.words(part(a), b_is_scalar ? vscalar : part(b));
    const __m128i low = _mm256_castsi256_si128(codes(words, words));
    store_up_to_8(dst + i, static_cast<uint64_t>(_mm_cvtsi128_si64(low)), count);
  }
}

template <typename Operator, typename Args>
inline void binary_qs8(const Args& args) {
  if (args.n == 0) return;
  if (args.b_is_scalar) {
    binary_qs8<Operator, true>(args);
  } else {
    binary_qs8<Operator, false>(args);
  }
}

}  // namespace
}  // namespace bitpose
