// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/base/f32_vector_avx2.h"
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

inline __m256 scale(__m256i acc, __m256 multiplier) {
  return _mm256_mul_ps(_mm256_cvtepi32_ps(acc), multiplier);
}

/// What becomes of sums: codes. Saturating narrowing stands for the float clamp: the packer has
/// proved the products bounded.
struct Codes {
  int8_t* dst;
  size_t row_stride;
  __m256i zero_point;  ///< int16 lanes.
  __m128i qmin, qmax;  ///< int8 lanes.

  explicit Codes(const DwconvQs8Args& args)
      : dst(args.dst),
        row_stride(args.dst_row_stride),
        zero_point(_mm256_set1_epi16(static_cast<int16_t>(args.range.zero_point))),
        qmin(_mm_set1_epi8(static_cast<int8_t>(args.range.qmin))),
        qmax(_mm_set1_epi8(static_cast<int8_t>(args.range.qmax))) {}

  __m256i words(__m256 x0, __m256 x1) const {
    return _mm256_adds_epi16(_mm256_packs_epi32(_mm256_cvtps_epi32(x0), _mm256_cvtps_epi32(x1)),
                             zero_point);
  }
  __m128i clamp(__m128i bytes) const { return _mm_min_epi8(_mm_max_epi8(bytes, qmin), qmax); }

  /// 16 channels of a pixel, which are in lane order.
  void store(size_t offset, __m256 x0, __m256 x1, size_t count) const {
    const __m256i both = words(x0, x1);
    const __m128i bytes =
        clamp(_mm_packs_epi16(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1)));
    if (count >= NR) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + offset), bytes);
      return;
    }
    alignas(16) int8_t buffer[NR];
    _mm_store_si128(reinterpret_cast<__m128i*>(buffer), bytes);
    __builtin_memcpy(dst + offset, buffer, count);
  }

  /// 8 channels of a pixel in each of ROWS output rows.
  template <int ROWS>
  void store_rows(size_t offset, __m256 x0, __m256 x1, size_t count) const {
    const __m256i both = words(x0, x1);
    // Bytes of row 0, 1 in 4-byte groups: 0 1 in the lower, 0 1 in the upper lane.
    const __m128i mixed =
        _mm_packs_epi16(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
    const __m128i bytes = clamp(_mm_shuffle_epi32(mixed, 0xd8));
    int8_t* row = dst + offset;
    if (count >= 8) {
      _mm_storel_epi64(reinterpret_cast<__m128i*>(row), bytes);
      if constexpr (ROWS == 2) {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(row + row_stride), _mm_srli_si128(bytes, 8));
      }
      return;
    }
    alignas(16) int8_t buffer[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(buffer), bytes);
    __builtin_memcpy(row, buffer, count);
    if constexpr (ROWS == 2) __builtin_memcpy(row + row_stride, buffer + 8, count);
  }
};

/// Real numbers.
struct Reals {
  float* dst;
  size_t row_stride;
  F32x8 fmin, fmax;

  explicit Reals(const DwconvQs8Args& args)
      : dst(args.real_dst),
        row_stride(args.dst_row_stride),
        fmin(F32x8::splat(args.fmin)),
        fmax(F32x8::splat(args.fmax)) {}

  void store(float* to, __m256 x, size_t count) const {
    clamp(F32x8{x}, fmin, fmax).store_partial(to, count);
  }
  void store(size_t offset, __m256 x0, __m256 x1, size_t count) const {
    float* pixel = dst + offset;
    store(pixel, _mm256_permute2f128_ps(x0, x1, 0x20), count);
    if (count > 8) store(pixel + 8, _mm256_permute2f128_ps(x0, x1, 0x31), count - 8);
  }
  template <int ROWS>
  void store_rows(size_t offset, __m256 x0, __m256 x1, size_t count) const {
    store(dst + offset, x0, count);
    if constexpr (ROWS == 2) store(dst + offset + row_stride, x1, count);
  }
};

/// One group of channels of one pixel. PAIRS is the number of pairs of taps, 0 for `pairs`.
template <size_t PAIRS, typename Output>
inline void pixel(const int8_t* const* taps, size_t pairs, size_t c, const int32_t* group,
                  const Output& out, size_t offset, size_t left) {
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
  out.store(offset, scale(acc0, _mm256_loadu_ps(multiplier)),
            scale(acc1, _mm256_loadu_ps(multiplier + 8)), left);
}

template <size_t PAIRS, typename Output>
inline void row(const DwconvQs8Args& args) {
  const Output out(args);
  const size_t pairs = (args.kernel_h * args.kernel_w + 1) / 2;
  const size_t group_words = NR * (2 + pairs);
  for (size_t x = 0; x < args.output_w; ++x) {
    fill_taps(args, x);
    const auto* group = static_cast<const int32_t*>(args.packed);
    for (size_t c = 0; c < args.channels; c += NR, group += group_words) {
      pixel<PAIRS>(args.taps, pairs, c, group, out, x * args.channels + c, args.channels - c);
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

/// Packed constants of 8 channels.
struct Group {
  __m256i bias;
  __m256 multiplier;
  const int32_t* weights;
};

/// ROWS output pixels below each other from the three columns under their windows.
template <int ROWS, typename Output>
inline void pixels(const Column& a0, const Column& a1, const Column& a2, const Group& group,
                   const Output& out, size_t offset, size_t count) {
  const __m256i acc0 = accumulate<0>(group.bias, a0, a1, a2, group.weights);
  const __m256i acc1 = ROWS == 2 ? accumulate<1>(group.bias, a0, a1, a2, group.weights) : acc0;
  out.template store_rows<ROWS>(offset, scale(acc0, group.multiplier),
                                scale(acc1, group.multiplier), count);
}

/// 3x3: 8 channels of ROWS output rows.
template <typename Output, int ROWS, int S>
void filter_rows(const DwconvQs8Args& args, size_t c, const Group group) {
  const Output out(args);
  const size_t count = args.channels - c;
  const auto under_window =
      [&](const Column& a0, const Column& a1, const Column& a2, size_t offset)
          __attribute__((always_inline)) { pixels<ROWS>(a0, a1, a2, group, out, offset, count); };
  slide<Column, ROWS, S>(args, c, under_window);
}

template <int ROWS>
inline void filter_rows(const DwconvQs8Args& args, size_t c, const Group& group) {
  if (args.stride_w == 1 && args.dilation_w == 1) {
    filter_rows<Codes, ROWS, 1>(args, c, group);
  } else if (args.stride_w == 2 && args.dilation_w == 1) {
    filter_rows<Codes, ROWS, 2>(args, c, group);
  } else {
    filter_rows<Codes, ROWS, 0>(args, c, group);
  }
}

/// Calls filter(c, group) for the groups of 8 channels from c on.
template <typename F>
inline void for_each_group(const DwconvQs8Args& args, const F& filter) {
  constexpr size_t kGroupWords = 8 + 8 + 12 * 8;
  const auto* packed = static_cast<const int32_t*>(args.packed);
  for (size_t c = 0; c < args.channels; c += 8, packed += kGroupWords) {
    filter(c, Group{_mm256_loadu_si256(as_vectors(packed)),
                    _mm256_loadu_ps(reinterpret_cast<const float*>(packed + 8)), packed + 16});
  }
}

template <typename Output>
inline void filter_any(const DwconvQs8Args& args) {
  if (args.kernel_h * args.kernel_w == 9) {
    row<5, Output>(args);
  } else {
    row<0, Output>(args);
  }
}

}  // namespace

void dwconv_qs8_3x3x8__avx2(const DwconvQs8Args& args) {
  if (args.real_dst != nullptr) {
    // Fewer layers want real numbers: there are fewer forms of it.
    const bool plain = args.stride_w == 1 && args.dilation_w == 1;
    return for_each_row(args, [plain](const DwconvQs8Args& row) {
      for_each_group(row, [&](size_t c, const Group& group) {
        plain ? filter_rows<Reals, 1, 1>(row, c, group) : filter_rows<Reals, 1, 0>(row, c, group);
      });
    });
  }
  for_each_group(args, [&](size_t c, const Group& group) {
    args.output_rows == 2 ? filter_rows<2>(args, c, group) : filter_rows<1>(args, c, group);
  });
}

void dwconv_qs8_1x16__avx2(const DwconvQs8Args& args) {
  args.real_dst == nullptr ? filter_any<Codes>(args) : filter_any<Reals>(args);
}

}  // namespace bitpose
