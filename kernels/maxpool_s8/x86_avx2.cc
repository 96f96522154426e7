// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/base/pool_blocks.h"
#include "kernels/maxpool_s8/maxpool_s8.h"

namespace bitpose {
namespace {

template <int N>
struct Bytes32 {
  static constexpr size_t kWidth = 32 * N;
  __m256i v[N];

  Bytes32(NoParams, const int8_t* src) {
#pragma GCC unroll 2
    for (int i = 0; i < N; ++i) v[i] = load(src, i);
  }
  void take(const int8_t* src) {
#pragma GCC unroll 2
    for (int i = 0; i < N; ++i) v[i] = _mm256_max_epi8(v[i], load(src, i));
  }
  void store(NoParams, int8_t* dst) const {
#pragma GCC unroll 2
    for (int i = 0; i < N; ++i) _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst) + i, v[i]);
  }
  static __m256i load(const int8_t* src, int i) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(src) + i);
  }
};

struct Bytes16 {
  static constexpr size_t kWidth = 16;
  __m128i v;

  Bytes16(NoParams, const int8_t* src) : v(load(src)) {}
  void take(const int8_t* src) { v = _mm_max_epi8(v, load(src)); }
  void store(NoParams, int8_t* dst) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(dst), v); }
  static __m128i load(const int8_t* src) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(src));
  }
};

struct Bytes8 {
  static constexpr size_t kWidth = 8;
  __m128i v;

  Bytes8(NoParams, const int8_t* src) : v(load(src)) {}
  void take(const int8_t* src) { v = _mm_max_epi8(v, load(src)); }
  void store(NoParams, int8_t* dst) const { _mm_storel_epi64(reinterpret_cast<__m128i*>(dst), v); }
  static __m128i load(const int8_t* src) {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(src));
  }
};

struct Byte {
  static constexpr size_t kWidth = 1;
  int8_t v;

  Byte(NoParams, const int8_t* src) : v(*src) {}
  void take(const int8_t* src) { v = *src > v ? *src : v; }
  void store(NoParams, int8_t* dst) const { *dst = v; }
};

}  // namespace

void maxpool_s8_64__avx2(const PoolWindow& window, const int8_t* src, int8_t* dst) {
  pool_outputs<Bytes32<2>, Bytes32<1>, Bytes16, Bytes8, Byte>(window, NoParams{}, src, dst);
}

}  // namespace bitpose
