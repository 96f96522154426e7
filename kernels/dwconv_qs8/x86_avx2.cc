// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/dwconv_qs8/columns.h"
#include "kernels/dwconv_qs8/taps.h"

// Two taps at a time: activations widened to int16 and interleaved, so that vpmaddwd multiplies
// both with their weights and adds. Exact for weights of 9 bits.
//
// 3x3x8: 8 channels of two output rows. Four input rows of a column become two vectors of pairs,
// (row 0, row 1) and (row 2, row 3), once; three columns stay in registers while the window moves
// on:
//
//   new column: 4 x vmovq, 2 x vpunpcklbw, 2 x vpmovsxbw
//   output row 0 has weights (w0, w1), (w2, 0), row 1 (0, w0), (w1, w2), from memory:
//     6 x vpmaddwd, 6 x vpaddd per row
//
// 1x16, any filter: 16 channels of one pixel.
//
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

inline __m256i scale(__m256i acc, __m256 multiplier) {
  return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), multiplier));
}

/// The channels of 16 accumulators as codes. Saturating narrowing stands for the float clamp: the
/// packer has proved the products bounded.
inline __m128i codes(__m256i acc0, __m256i acc1, const float* multiplier, const Epilogue& out) {
  const __m256i words =
      _mm256_adds_epi16(_mm256_packs_epi32(scale(acc0, _mm256_loadu_ps(multiplier)),
                                           scale(acc1, _mm256_loadu_ps(multiplier + 8))),
                        out.zero_point);
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

inline __m256i interleave(const int8_t* a, const int8_t* b) {
  return _mm256_cvtepi8_epi16(
      _mm_unpacklo_epi8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(a)),
                        _mm_loadl_epi64(reinterpret_cast<const __m128i*>(b))));
}

/// The pairs of four input rows in one column, 8 channels.
struct Column {
  static constexpr size_t kRows = 4;
  static constexpr bool kByThree = false;
  __m256i pairs01, pairs23;

  static Column load(const int8_t* const (&rows)[kRows], size_t offset) {
    return {interleave(rows[0] + offset, rows[1] + offset),
            interleave(rows[2] + offset, rows[3] + offset)};
  }
};

/// acc += pairs of a times those at weights + OFFSET. gcc 12 takes a register per address of a
/// constant and spills it.
template <int OFFSET>
inline __m256i add_products(__m256i acc, __m256i a, const int32_t* weights) {
  __m256i products;
  asm("vpmaddwd %c3(%2), %1, %0" : "=x"(products) : "x"(a), "r"(weights), "i"(OFFSET));
  return _mm256_add_epi32(acc, products);
}

template <int ROW>
inline __m256i accumulate(__m256i acc, const Column& a0, const Column& a1, const Column& a2,
                          const int32_t* weights) {
  constexpr int kVector = sizeof(__m256i);
  acc = add_products<(0 + 2 * ROW) * kVector>(acc, a0.pairs01, weights);
  acc = add_products<(1 + 2 * ROW) * kVector>(acc, a0.pairs23, weights);
  acc = add_products<(4 + 2 * ROW) * kVector>(acc, a1.pairs01, weights);
  acc = add_products<(5 + 2 * ROW) * kVector>(acc, a1.pairs23, weights);
  acc = add_products<(8 + 2 * ROW) * kVector>(acc, a2.pairs01, weights);
  return add_products<(9 + 2 * ROW) * kVector>(acc, a2.pairs23, weights);
}

/// A pixel of 8 channels in each of two output rows, row 1 in the upper half.
inline __m128i codes_of_rows(__m256i acc0, __m256i acc1, __m256 multiplier, const Epilogue& out) {
  const __m256i words = _mm256_adds_epi16(
      _mm256_packs_epi32(scale(acc0, multiplier), scale(acc1, multiplier)), out.zero_point);
  // Bytes of row 0, 1 in 4-byte groups: 0 1 in the lower, 0 1 in the upper lane.
  const __m128i bytes =
      _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  return _mm_min_epi8(_mm_max_epi8(_mm_shuffle_epi32(bytes, 0xd8), out.qmin), out.qmax);
}

template <int ROWS>
inline void store_rows(int8_t* dst, size_t row_stride, __m128i bytes, size_t count) {
  if (count >= 8) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(dst), bytes);
    if constexpr (ROWS == 2) {
      _mm_storel_epi64(reinterpret_cast<__m128i*>(dst + row_stride), _mm_srli_si128(bytes, 8));
    }
    return;
  }
  alignas(16) int8_t buffer[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(buffer), bytes);
  __builtin_memcpy(dst, buffer, count);
  if constexpr (ROWS == 2) __builtin_memcpy(dst + row_stride, buffer + 8, count);
}

/// Packed constants of 8 channels.
struct Group {
  __m256i bias;
  __m256 multiplier;
  const int32_t* weights;
};

/// ROWS output pixels below each other from the three columns under their windows.
template <int ROWS>
inline void pixels(const Column& a0, const Column& a1, const Column& a2, const Group& group,
                   const Epilogue& out, int8_t* dst, size_t row_stride, size_t count) {
  const __m256i acc0 = accumulate<0>(group.bias, a0, a1, a2, group.weights);
  const __m256i acc1 = ROWS == 2 ? accumulate<1>(group.bias, a0, a1, a2, group.weights) : acc0;
  store_rows<ROWS>(dst, row_stride, codes_of_rows(acc0, acc1, group.multiplier, out), count);
}

/// 3x3: 8 channels of ROWS output rows.
template <int ROWS, int S>
void filter_rows(const DwconvQs8Args& args, size_t c, const Group group) {
  const Epilogue out(args.range);
  const size_t count = args.channels - c;
  const size_t row_stride = args.dst_row_stride;
  const auto under_window = [&](const Column& a0, const Column& a1, const Column& a2, int8_t* dst)
                                __attribute__((always_inline)) {
                                  pixels<ROWS>(a0, a1, a2, group, out, dst, row_stride, count);
                                };
  slide<Column, ROWS, S>(args, c, under_window);
}

template <int ROWS>
inline void filter_rows(const DwconvQs8Args& args, size_t c, const Group& group) {
  if (args.stride_w == 1 && args.dilation_w == 1) return filter_rows<ROWS, 1>(args, c, group);
  if (args.stride_w == 2 && args.dilation_w == 1) return filter_rows<ROWS, 2>(args, c, group);
  return filter_rows<ROWS, 0>(args, c, group);
}

}  // namespace

void dwconv_qs8_3x3x8__avx2(const DwconvQs8Args& args) {
  constexpr size_t kGroupWords = 8 + 8 + 12 * 8;
  const auto* packed = static_cast<const int32_t*>(args.packed);
  for (size_t c = 0; c < args.channels; c += 8, packed += kGroupWords) {
    const Group group{_mm256_loadu_si256(as_vectors(packed)),
                      _mm256_loadu_ps(reinterpret_cast<const float*>(packed + 8)), packed + 16};
    if (args.output_rows == 2) {
      filter_rows<2>(args, c, group);
    } else {
      filter_rows<1>(args, c, group);
    }
  }
}

void dwconv_qs8_1x16__avx2(const DwconvQs8Args& args) {
  if (args.kernel_h * args.kernel_w == 9) {
    row<5>(args);
  } else {
    row<0>(args);
  }
}

}  // namespace bitpose
