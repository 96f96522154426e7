// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/dwconv_qs8/dwconv_qs8.h"
#include "kernels/dwconv_qs8/taps.h"

// 32 channels at a time. Activations are widened to int16 and two taps interleaved, so that
// vpdpwssd multiplies both with their weights and adds them to int32. Exact for weights of 9 bits.
//
// 3x3x32: the three rows of an input column become two interleaved pairs, (row 0, row 1) and
// (row 2, 0), once; the three columns under the filter stay in registers while it moves on:
//
//   ring   3 columns x {low01, high01, low2, high2} = 12     weights  the same for 3 columns = 12
//   acc 2, bias 2, multiplier 2
//   per output and 32 channels, stride 1: 3 vpmovsxbw, 4 vpunpck, 12 vpdpwssd, 11 for the epilogue
namespace bitpose {
namespace {

constexpr size_t NR = 32;

inline void dot_accumulate(__m512i& acc, __m512i a, __m512i b) {
  asm("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
}

inline __m512i load_wide(const int8_t* src) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(src)));
}

struct Epilogue {
  __m512i zero_point;  ///< int16 lanes.
  __m256i qmin, qmax;  ///< int8 lanes.

  explicit Epilogue(const OutputRange& range)
      : zero_point(_mm512_set1_epi16(static_cast<int16_t>(range.zero_point))),
        qmin(_mm256_set1_epi8(static_cast<int8_t>(range.qmin))),
        qmax(_mm256_set1_epi8(static_cast<int8_t>(range.qmax))) {}
};

inline __m512i scale(__m512i acc, __m512 multiplier) {
  return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(acc), multiplier));
}

/// The channels of 32 accumulators as codes, stored. Saturating narrowing stands for the float
/// clamp: the packer has proved the products bounded.
inline void store(int8_t* dst, __m512i acc0, __m512i acc1, __m512 multiplier0, __m512 multiplier1,
                  const Epilogue& out, size_t count) {
  const __m512i words = _mm512_adds_epi16(
      _mm512_packs_epi32(scale(acc0, multiplier0), scale(acc1, multiplier1)), out.zero_point);
  const __m256i codes =
      _mm256_min_epi8(_mm256_max_epi8(_mm512_cvtsepi16_epi8(words), out.qmin), out.qmax);
  if (count >= NR) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst), codes);
  } else {
    _mm256_mask_storeu_epi8(dst, (__mmask32{1} << count) - 1, codes);
  }
}

/// Packed constants of a group of channels.
struct Group {
  const int32_t* bias;
  const float* multiplier;
  const int16_t* weights;

  explicit Group(const int32_t* group)
      : bias(group),
        multiplier(reinterpret_cast<const float*>(group + NR)),
        weights(reinterpret_cast<const int16_t*>(multiplier + NR)) {}
};

/// One column of input, or of weights: two interleaved pairs of rows.
struct Column {
  __m512i low01, high01, low2, high2;
};

inline Column interleave(__m512i row0, __m512i row1, __m512i row2) {
  const __m512i zero = _mm512_setzero_si512();
  return {_mm512_unpacklo_epi16(row0, row1), _mm512_unpackhi_epi16(row0, row1),
          _mm512_unpacklo_epi16(row2, zero), _mm512_unpackhi_epi16(row2, zero)};
}

inline void accumulate(__m512i& acc0, __m512i& acc1, const Column& a, const Column& w) {
  dot_accumulate(acc0, a.low01, w.low01);
  dot_accumulate(acc1, a.high01, w.high01);
  dot_accumulate(acc0, a.low2, w.low2);
  dot_accumulate(acc1, a.high2, w.high2);
}

/// The three input rows at one group of channels; a row outside the picture is the padding pixel
/// over and over.
struct Rows {
  const int8_t* row[3];
  size_t step[3];
  const int8_t* padding;
  size_t width;

  Rows(const DwconvQs8Args& args, size_t c) : padding(args.padding + c), width(args.input_w) {
    for (int ky = 0; ky < 3; ++ky) {
      row[ky] = (args.rows[ky] != nullptr ? args.rows[ky] : args.padding) + c;
      step[ky] = args.rows[ky] != nullptr ? args.channels : 0;
    }
  }

  /// Column ix, which wraps to a large number left of the picture.
  Column column(size_t ix) const {
    if (ix >= width) {
      const __m512i pad = load_wide(padding);
      return interleave(pad, pad, pad);
    }
    return interleave(load_wide(row[0] + ix * step[0]), load_wide(row[1] + ix * step[1]),
                      load_wide(row[2] + ix * step[2]));
  }
};

/// A column of weights: like packed weights in lane order, pairs in two vectors.
inline Column weight_column(const int16_t* weights, int kx) {
  // Packed tap by tap in lane order: position p of a tap is a channel, the first 16 belong to acc
  // 0.
  const auto tap = [&](int ky, int half) {
    return _mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(
        weights + (ky * 3 + kx) * static_cast<int>(NR) + half * 16)));
  };
  const auto pair = [&](int half) {
    const __m512i low_word = _mm512_set1_epi32(0xffff);
    return _mm512_or_si512(_mm512_and_si512(tap(0, half), low_word),
                           _mm512_slli_epi32(tap(1, half), 16));
  };
  const auto single = [&](int half) {
    return _mm512_and_si512(tap(2, half), _mm512_set1_epi32(0xffff));
  };
  return {pair(0), pair(1), single(0), single(1)};
}

inline void filter_row_3x3(const DwconvQs8Args& args, size_t c, const Group& group,
                           const Epilogue& out) {
  const Column w0 = weight_column(group.weights, 0);
  const Column w1 = weight_column(group.weights, 1);
  const Column w2 = weight_column(group.weights, 2);
  const __m512i bias0 = _mm512_loadu_si512(group.bias);
  const __m512i bias1 = _mm512_loadu_si512(group.bias + 16);
  const __m512 multiplier0 = _mm512_loadu_ps(group.multiplier);
  const __m512 multiplier1 = _mm512_loadu_ps(group.multiplier + 16);
  const Rows rows(args, c);
  const size_t dilation = args.dilation_w;
  const bool slides = args.stride_w == 1 && dilation == 1;
  int8_t* dst = args.dst + c;
  size_t ix = 0 - args.pad_left;
  Column a0 = rows.column(ix);
  Column a1 = rows.column(ix + dilation);
  for (size_t x = 0; x < args.output_w; ++x, dst += args.channels) {
    const Column a2 = rows.column(ix + 2 * dilation);
    __m512i acc0 = bias0;
    __m512i acc1 = bias1;
    accumulate(acc0, acc1, a0, w0);
    accumulate(acc0, acc1, a1, w1);
    accumulate(acc0, acc1, a2, w2);
    store(dst, acc0, acc1, multiplier0, multiplier1, out, args.channels - c);
    ix += args.stride_w;
    if (slides) {
      a0 = a1;
      a1 = a2;
    } else {
      a0 = args.stride_w == 2 && dilation == 1 ? a2 : rows.column(ix);
      a1 = rows.column(ix + dilation);
    }
  }
}

}  // namespace

void dwconv_qs8_3x3x32__avx512vnni(const DwconvQs8Args& args) {
  const Epilogue out(args.range);
  constexpr size_t kGroupWords = NR * 2 + 9 * NR / 2;
  const auto* group = static_cast<const int32_t*>(args.packed);
  for (size_t c = 0; c < args.channels; c += NR, group += kGroupWords) {
    filter_row_3x3(args, c, Group(group), out);
  }
}

void dwconv_qs8_1x32__avx512vnni(const DwconvQs8Args& args) {
  const Epilogue out(args.range);
  const size_t pairs = (args.kernel_h * args.kernel_w + 1) / 2;
  for (size_t x = 0; x < args.output_w; ++x) {
    fill_taps(args, x);
    const auto* packed = static_cast<const int32_t*>(args.packed);
    for (size_t c = 0; c < args.channels; c += NR, packed += NR * (2 + pairs)) {
      const Group group(packed);
      __m512i acc0 = _mm512_loadu_si512(group.bias);
      __m512i acc1 = _mm512_loadu_si512(group.bias + 16);
      for (size_t p = 0; p < pairs; ++p) {
        const __m512i a = load_wide(args.taps[2 * p] + c);
        const __m512i b = load_wide(args.taps[2 * p + 1] + c);
        const int16_t* w = group.weights + p * 2 * NR;
        dot_accumulate(acc0, _mm512_unpacklo_epi16(a, b), _mm512_loadu_si512(w));
        dot_accumulate(acc1, _mm512_unpackhi_epi16(a, b), _mm512_loadu_si512(w + NR));
      }
      store(args.dst + x * args.channels + c, acc0, acc1, _mm512_loadu_ps(group.multiplier),
            _mm512_loadu_ps(group.multiplier + 16), out, args.channels - c);
    }
  }
}

}  // namespace bitpose
