// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/lut_x8/lut_x8.h"

// vpshufb looks up 16 entries by the low 4 bits of a byte and gives 0 where the byte is negative.
// For src < 128 the 8 steps h = 0..7 look up src - 16 * h: all steps up to h = src / 16 contribute,
// so step h holds part(h) ^ part(h - 1) of the table, and the xor of the contributions is part(h).
// Subtraction saturates at -128: what is negative stays negative. The same for src ^ 128 gives the
// upper half of the table.
namespace bitpose {
namespace {

constexpr int kSteps = 8;

struct Steps {
  __m256i lower[kSteps], upper[kSteps];
};

__m128i part(const uint8_t* table, int index) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(table) + index);
}

void make_steps(const uint8_t* table, __m256i* steps) {
  steps[0] = _mm256_broadcastsi128_si256(part(table, 0));
  for (int h = 1; h < kSteps; ++h) {
    steps[h] = _mm256_broadcastsi128_si256(_mm_xor_si128(part(table, h), part(table, h - 1)));
  }
}

__m256i load(const uint8_t* src) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(src));
}

void store(uint8_t* dst, __m256i value) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst), value);
}

}  // namespace

void lut_x8_64__avx2(size_t n, const uint8_t* src, const uint8_t* table, uint8_t* dst) {
  size_t i = 0;
  if (n >= 64) {
    Steps steps;
    make_steps(table, steps.lower);
    make_steps(table + 128, steps.upper);
    const __m256i v16 = _mm256_set1_epi8(16);
    const __m256i v128 = _mm256_set1_epi8(-128);
    for (; i + 64 <= n; i += 64) {
      __m256i low0 = load(src + i);
      __m256i low1 = load(src + i + 32);
      __m256i high0 = _mm256_xor_si256(low0, v128);
      __m256i high1 = _mm256_xor_si256(low1, v128);
      __m256i out0 = _mm256_setzero_si256();
      __m256i out1 = _mm256_setzero_si256();
#pragma GCC unroll 8
      for (int h = 0; h < kSteps; ++h) {
        out0 = _mm256_xor_si256(out0, _mm256_xor_si256(_mm256_shuffle_epi8(steps.lower[h], low0),
                                                       _mm256_shuffle_epi8(steps.upper[h], high0)));
        out1 = _mm256_xor_si256(out1, _mm256_xor_si256(_mm256_shuffle_epi8(steps.lower[h], low1),
                                                       _mm256_shuffle_epi8(steps.upper[h], high1)));
        low0 = _mm256_subs_epi8(low0, v16);
        low1 = _mm256_subs_epi8(low1, v16);
        high0 = _mm256_subs_epi8(high0, v16);
        high1 = _mm256_subs_epi8(high1, v16);
      }
      store(dst + i, out0);
      store(dst + i + 32, out1);
    }
  }
  for (; i < n; ++i) dst[i] = table[src[i]];
}

}  // namespace bitpose
