// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/dwconv_qs8/dwconv_qs8.h"
#include "kernels/dwconv_qs8/taps.h"

// 16 channels of one pixel. Two taps at a time: activations widened to int16 and interleaved, so
// that vpmaddwd multiplies both with their weights and adds. Exact for weights of 9 bits.
//   2 x vpmovsxbw    vpunpcklwd, vpunpckhwd    2 x vpmaddwd    2 x vpaddd
namespace bitpose {
namespace {

constexpr size_t NR = 16;

inline __m256i load_wide(const int8_t* src) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(src)));
}

inline const __m256i* as_vectors(const void* p) { return static_cast<const __m256i*>(p); }

struct Epilogue {
  __m256i zero_point;  ///< int16 lanes.
  __m128i qmin, qmax;  ///< int8 lanes.

  explicit Epilogue(const OutputRange& range)
      : zero_point(_mm256_set1_epi16(static_cast<int16_t>(range.zero_point))),
        qmin(_mm_set1_epi8(static_cast<int8_t>(range.qmin))),
        qmax(_mm_set1_epi8(static_cast<int8_t>(range.qmax))) {}
};

inline __m256i scale(__m256i acc, const float* multiplier) {
  return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(multiplier)));
}

/// The channels of 16 accumulators as codes. Saturating narrowing stands for the float clamp: the
/// packer has proved the products bounded.
inline __m128i codes(__m256i acc0, __m256i acc1, const float* multiplier, const Epilogue& out) {
  const __m256i words = _mm256_adds_epi16(
      _mm256_packs_epi32(scale(acc0, multiplier), scale(acc1, multiplier + 8)), out.zero_point);
  const __m128i bytes =
      _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  return _mm_min_epi8(_mm_max_epi8(bytes, out.qmin), out.qmax);
}

inline void store(int8_t* dst, __m128i bytes, size_t count) {
  if (count >= NR) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(dst), bytes);
    return;
  }
  alignas(16) int8_t buffer[NR];
  _mm_store_si128(reinterpret_cast<__m128i*>(buffer), bytes);
  __builtin_memcpy(dst, buffer, count);
}

/// One group of channels of one pixel. PAIRS is the number of pairs of taps, 0 for `pairs`.
template <size_t PAIRS>
inline __m128i pixel(const int8_t* const* taps, size_t pairs, size_t c, const int32_t* group,
                     const Epilogue& out) {
  const auto* multiplier = reinterpret_cast<const float*>(group + NR);
  const auto* weights = reinterpret_cast<const int16_t*>(multiplier + NR);
  __m256i acc0 = _mm256_loadu_si256(as_vectors(group));
  __m256i acc1 = _mm256_loadu_si256(as_vectors(group + 8));
  const size_t count = PAIRS == 0 ? pairs : PAIRS;
#pragma GCC unroll 8
  for (size_t p = 0; p < count; ++p) {
    const __m256i a = load_wide(taps[2 * p] + c);
    const __m256i b = load_wide(taps[2 * p + 1] + c);
    const __m256i w0 = _mm256_loadu_si256(as_vectors(weights + p * 2 * NR));
    const __m256i w1 = _mm256_loadu_si256(as_vectors(weights + p * 2 * NR + NR));
    acc0 = _mm256_add_epi32(acc0, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), w0));
    acc1 = _mm256_add_epi32(acc1, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), w1));
  }
  return codes(acc0, acc1, multiplier, out);
}

template <size_t PAIRS>
inline void row(const DwconvQs8Args& args) {
  const Epilogue out(args.range);
  const size_t pairs = (args.kernel_h * args.kernel_w + 1) / 2;
  const size_t group_words = NR * (2 + pairs);
  for (size_t x = 0; x < args.output_w; ++x) {
    fill_taps(args, x);
    const auto* group = static_cast<const int32_t*>(args.packed);
    for (size_t c = 0; c < args.channels; c += NR, group += group_words) {
      store(args.dst + x * args.channels + c, pixel<PAIRS>(args.taps, pairs, c, group, out),
            args.channels - c);
    }
  }
}

}  // namespace

void dwconv_qs8_1x16__avx2(const DwconvQs8Args& args) {
  if (args.kernel_h * args.kernel_w == 9) {
    row<5>(args);
  } else {
    row<0>(args);
  }
}

}  // namespace bitpose
