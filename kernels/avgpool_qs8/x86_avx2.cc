// SPDX-License-Identifier: Apache-2.0
#include "kernels/avgpool_qs8/blocks.h"
#include "kernels/base/requantize_avx2.h"

namespace bitpose {
namespace {

using PoolParams = Params<RequantizeAvx2>;

/// N groups of `width` channels: a group is a vector of int16 sums.
template <int N, int width>
struct Words {
  static constexpr size_t kWidth = size_t{N} * width;
  __m256i sum[N];
  __m256i acc[N][2];  ///< In each 128-bit lane the lower and the upper half of sum's lane.
  size_t taps = 0;

  Words(const PoolParams& params, const int8_t*) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      sum[i] = _mm256_setzero_si256();
      acc[i][0] = acc[i][1] = _mm256_set1_epi32(params.bias);
    }
  }

  void take(const int8_t* src) {
    if (taps++ == kTapsPerFlush) flush();
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      const auto* bytes = reinterpret_cast<const __m128i*>(src + width * i);
      const __m128i codes = width == 16 ? _mm_loadu_si128(bytes) : _mm_loadl_epi64(bytes);
      sum[i] = _mm256_add_epi16(sum[i], _mm256_cvtepi8_epi16(codes));
    }
  }

  void flush() {
    taps = 1;
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      const __m256i sign = _mm256_srai_epi16(sum[i], 15);
      acc[i][0] = _mm256_add_epi32(acc[i][0], _mm256_unpacklo_epi16(sum[i], sign));
      acc[i][1] = _mm256_add_epi32(acc[i][1], _mm256_unpackhi_epi16(sum[i], sign));
      sum[i] = _mm256_setzero_si256();
    }
  }

  void store(const PoolParams& params, int8_t* dst) {
    flush();
#pragma GCC unroll 4
    for (int i = 0; i < N; i += 2) {
      const int j = i + 1 < N ? i + 1 : i;
      const __m256i codes =
          _mm256_permute4x64_epi64(params.vectors.codes(params.vectors.words(acc[i][0], acc[i][1]),
                                                        params.vectors.words(acc[j][0], acc[j][1])),
                                   0xd8);
      auto* bytes = reinterpret_cast<__m256i*>(dst + width * i);
      if (j > i) {
        _mm256_storeu_si256(bytes, codes);
      } else if (width == 16) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes), _mm256_castsi256_si128(codes));
      } else {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(bytes), _mm256_castsi256_si128(codes));
      }
    }
  }
};

}  // namespace

void avgpool_qs8_64__avx2(const AvgpoolQs8Args& args) {
  const PoolParams params(args);
  pool_outputs<Words<4, 16>, Words<2, 16>, Words<1, 16>, Words<1, 8>, Code<PoolParams>>(
      args.window, params, args.src, args.dst);
}

}  // namespace bitpose
