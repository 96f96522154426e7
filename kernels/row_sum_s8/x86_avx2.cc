// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/base/overread.h"
#include "kernels/row_sum_s8/row_sum_s8.h"

// vpsadbw against zero adds 8 unsigned bytes into 64 bits. Flipping the top bit makes a signed byte
// that byte + 128; what the flips added is taken off at the end. Bytes behind the row are masked
// out.
namespace bitpose {
namespace {

alignas(32) constexpr uint8_t kMasks[64] = {
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
};

/// 32 bytes of which the first `count` are 255.
inline __m256i first_bytes(size_t count) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMasks + 32 - count));
}

inline __m256i load(const int8_t* src) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(src));
}

/// The last bytes of a row and what is behind.
BITPOSE_OVERREADS inline __m256i load_tail(const int8_t* src) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(src));
}

inline __m256i add_bytes(__m256i sums, __m256i bytes, __m256i mask) {
  const __m256i flipped = _mm256_and_si256(_mm256_xor_si256(bytes, _mm256_set1_epi8(-128)), mask);
  return _mm256_add_epi64(sums, _mm256_sad_epu8(flipped, _mm256_setzero_si256()));
}

}  // namespace

void row_sum_s8_1x32__avx2(const RowSumS8Args& args) {
  const __m256i all = _mm256_set1_epi8(-1);
  const size_t whole = args.kc / 32 * 32;
  const __m256i tail = first_bytes(args.kc - whole);
  const auto flips = static_cast<uint32_t>(128 * args.ks * args.kc);
  for (size_t i = 0; i < args.m; ++i) {
    __m256i sums = _mm256_setzero_si256();
    for (size_t t = 0; t < args.ks; ++t) {
      const int8_t* a = args.indirection != nullptr ? args.indirection[i * args.ks + t]
                                                    : args.a + i * args.a_stride;
      for (size_t k = 0; k < whole; k += 32) sums = add_bytes(sums, load(a + k), all);
      if (whole < args.kc) sums = add_bytes(sums, load_tail(a + whole), tail);
    }
    const __m128i halves =
        _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    const __m128i total = _mm_add_epi64(halves, _mm_unpackhi_epi64(halves, halves));
    const auto sum = static_cast<uint32_t>(_mm_cvtsi128_si32(total)) - flips;
    args.dst[i] = static_cast<int32_t>(static_cast<uint32_t>(args.factor) * sum);
  }
}

}  // namespace bitpose
