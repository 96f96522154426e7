// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/base/f32_vector_avx512.h"
#include "kernels/dwconv_qs8/columns.h"
#include "kernels/dwconv_qs8/parts.h"
#include "kernels/dwconv_qs8/taps.h"

// vpdpbusd multiplies the four bytes of a quad, one channel under four taps, with their weights and
// adds them to that channel's int32. Activations become unsigned by flipping their top bit (+128);
// the packed bias holds the correction. Weights beyond int8 are sums of several parts.
//
// 3x3x64: 64 channels (32 or 16 at the end) of two output rows, whose four input rows are the
// quads:
//
//   columns under the window 3 x {q0..q3} = 12    acc 8    top bit, zero point, qmin, qmax
//   new column: 4 rows loaded and flipped, 8 x vpunpck -> q0..q3
//   output row 0 has weights (w0, w1, w2, 0), row 1 (0, w0, w1, w2), from memory:
//     12 x vpdpbusd acc_j, q_j[column], [weights]   per row
//
// 1x64, any filter: the same for one pixel and four taps at a time. The in-lane order of vpunpck is
// the order of vpackssdw and vpacksswb too: bytes come out in the order of channels.
namespace bitpose {
namespace {

template <typename Vector>
inline Vector load_vector(const void* src) {
  Vector x;
  __builtin_memcpy(&x, src, sizeof(x));
  return x;
}

/// Choices of two lanes of each operand of vshuff32x4.
constexpr int kLower = 0x44, kUpper = 0xee, kEven = 0x88, kOdd = 0xdd;

// Vectors of 64, 32 and 16 channels under one face. in_order: lane l of vector j holds channels
// 16 l + 4 j and following.

struct Zmm {
  using Ints = __m512i;
  using Floats = __m512;
  static constexpr size_t kChannels = 64;
  static Ints set8(int8_t x) { return _mm512_set1_epi8(x); }
  static Ints set16(int16_t x) { return _mm512_set1_epi16(x); }
  static Ints low8(Ints a, Ints b) { return _mm512_unpacklo_epi8(a, b); }
  static Ints high8(Ints a, Ints b) { return _mm512_unpackhi_epi8(a, b); }
  static Ints low16(Ints a, Ints b) { return _mm512_unpacklo_epi16(a, b); }
  static Ints high16(Ints a, Ints b) { return _mm512_unpackhi_epi16(a, b); }
  static Floats scale(Ints acc, Floats m) { return _mm512_mul_ps(_mm512_cvtepi32_ps(acc), m); }
  static Ints round(Floats x) { return _mm512_cvtps_epi32(x); }
  static Ints narrow32(Ints a, Ints b) { return _mm512_packs_epi32(a, b); }
  static Ints narrow16(Ints a, Ints b) { return _mm512_packs_epi16(a, b); }
  static Ints add16(Ints a, Ints b) { return _mm512_adds_epi16(a, b); }
  static Ints clamp(Ints x, Ints low, Ints high) {
    return _mm512_min_epi8(_mm512_max_epi8(x, low), high);
  }
  static void store_first(int8_t* dst, Ints x, size_t n) {
    _mm512_mask_storeu_epi8(dst, (__mmask64{1} << n) - 1, x);
  }
  static void in_order(const Floats (&x)[4], F32x16 (&y)[4]) {
    const __m512 low01 = _mm512_shuffle_f32x4(x[0], x[1], kLower);
    const __m512 low23 = _mm512_shuffle_f32x4(x[2], x[3], kLower);
    const __m512 high01 = _mm512_shuffle_f32x4(x[0], x[1], kUpper);
    const __m512 high23 = _mm512_shuffle_f32x4(x[2], x[3], kUpper);
    y[0].v = _mm512_shuffle_f32x4(low01, low23, kEven);
    y[1].v = _mm512_shuffle_f32x4(low01, low23, kOdd);
    y[2].v = _mm512_shuffle_f32x4(high01, high23, kEven);
    y[3].v = _mm512_shuffle_f32x4(high01, high23, kOdd);
  }
};

struct Ymm {
  using Ints = __m256i;
  using Floats = __m256;
  static constexpr size_t kChannels = 32;
  static Ints set8(int8_t x) { return _mm256_set1_epi8(x); }
  static Ints set16(int16_t x) { return _mm256_set1_epi16(x); }
  static Ints low8(Ints a, Ints b) { return _mm256_unpacklo_epi8(a, b); }
  static Ints high8(Ints a, Ints b) { return _mm256_unpackhi_epi8(a, b); }
  static Ints low16(Ints a, Ints b) { return _mm256_unpacklo_epi16(a, b); }
  static Ints high16(Ints a, Ints b) { return _mm256_unpackhi_epi16(a, b); }
  static Floats scale(Ints acc, Floats m) { return _mm256_mul_ps(_mm256_cvtepi32_ps(acc), m); }
  static Ints round(Floats x) { return _mm256_cvtps_epi32(x); }
  static Ints narrow32(Ints a, Ints b) { return _mm256_packs_epi32(a, b); }
  static Ints narrow16(Ints a, Ints b) { return _mm256_packs_epi16(a, b); }
  static Ints add16(Ints a, Ints b) { return _mm256_adds_epi16(a, b); }
  static Ints clamp(Ints x, Ints low, Ints high) {
    return _mm256_min_epi8(_mm256_max_epi8(x, low), high);
  }
  static void store_first(int8_t* dst, Ints x, size_t n) {
    _mm256_mask_storeu_epi8(dst, (__mmask32{1} << n) - 1, x);
  }
  static void in_order(const Floats (&x)[4], F32x16 (&y)[2]) {
    const __m512 x01 = _mm512_insertf32x8(_mm512_castps256_ps512(x[0]), x[1], 1);
    const __m512 x23 = _mm512_insertf32x8(_mm512_castps256_ps512(x[2]), x[3], 1);
    y[0].v = _mm512_shuffle_f32x4(x01, x23, kEven);
    y[1].v = _mm512_shuffle_f32x4(x01, x23, kOdd);
  }
};

struct Xmm {
  using Ints = __m128i;
  using Floats = __m128;
  static constexpr size_t kChannels = 16;
  static Ints set8(int8_t x) { return _mm_set1_epi8(x); }
  static Ints set16(int16_t x) { return _mm_set1_epi16(x); }
  static Ints low8(Ints a, Ints b) { return _mm_unpacklo_epi8(a, b); }
  static Ints high8(Ints a, Ints b) { return _mm_unpackhi_epi8(a, b); }
  static Ints low16(Ints a, Ints b) { return _mm_unpacklo_epi16(a, b); }
  static Ints high16(Ints a, Ints b) { return _mm_unpackhi_epi16(a, b); }
  static Floats scale(Ints acc, Floats m) { return _mm_mul_ps(_mm_cvtepi32_ps(acc), m); }
  static Ints round(Floats x) { return _mm_cvtps_epi32(x); }
  static Ints narrow32(Ints a, Ints b) { return _mm_packs_epi32(a, b); }
  static Ints narrow16(Ints a, Ints b) { return _mm_packs_epi16(a, b); }
  static Ints add16(Ints a, Ints b) { return _mm_adds_epi16(a, b); }
  static Ints clamp(Ints x, Ints low, Ints high) {
    return _mm_min_epi8(_mm_max_epi8(x, low), high);
  }
  static void store_first(int8_t* dst, Ints x, size_t n) {
    _mm_mask_storeu_epi8(dst, static_cast<__mmask16>((1u << n) - 1), x);
  }
  static void in_order(const Floats (&x)[4], F32x16 (&y)[1]) {
    const __m256 x01 = _mm256_insertf128_ps(_mm256_castps128_ps256(x[0]), x[1], 1);
    const __m256 x23 = _mm256_insertf128_ps(_mm256_castps128_ps256(x[2]), x[3], 1);
    y[0].v = _mm512_insertf32x8(_mm512_castps256_ps512(x01), x23, 1);
  }
};

/// What becomes of the scaled sums of a group: codes. Saturating narrowing stands for the float
/// clamp: the packer has proved the products bounded.
template <typename V>
struct Codes {
  int8_t* dst;
  V::Ints zero_point, qmin, qmax;
  size_t count;  ///< Channels left, this group's and those behind.

  Codes(const DwconvQs8Args& args, size_t channels)
      : dst(args.dst),
        zero_point(V::set16(static_cast<int16_t>(args.range.zero_point))),
        qmin(V::set8(static_cast<int8_t>(args.range.qmin))),
        qmax(V::set8(static_cast<int8_t>(args.range.qmax))),
        count(channels) {}

  void store(size_t offset, const V::Floats (&x)[4]) const {
    const auto words0 = V::add16(V::narrow32(V::round(x[0]), V::round(x[1])), zero_point);
    const auto words1 = V::add16(V::narrow32(V::round(x[2]), V::round(x[3])), zero_point);
    const auto codes = V::clamp(V::narrow16(words0, words1), qmin, qmax);
    if (count >= V::kChannels) {
      __builtin_memcpy(dst + offset, &codes, sizeof(codes));
    } else {
      V::store_first(dst + offset, codes, count);
    }
  }
};

/// Real numbers.
template <typename V>
struct Reals {
  float* dst;
  F32x16 fmin, fmax;
  size_t count;

  Reals(const DwconvQs8Args& args, size_t channels)
      : dst(args.real_dst),
        fmin(F32x16::splat(args.fmin)),
        fmax(F32x16::splat(args.fmax)),
        count(channels) {}

  void store(size_t offset, const V::Floats (&x)[4]) const {
    constexpr size_t kVectors = V::kChannels / F32x16::kLanes;
    F32x16 channels[kVectors];
    V::in_order(x, channels);
    float* to = dst + offset;
#pragma GCC unroll 4
    for (size_t i = 0; i < kVectors; ++i, to += F32x16::kLanes) {
      const F32x16 y = clamp(channels[i], fmin, fmax);
      const size_t before = i * F32x16::kLanes;
      if (count >= before + F32x16::kLanes) {
        y.store(to);
      } else if (count > before) {
        y.store_partial(to, count - before);
      }
    }
  }
};

/// ROWS pixels below each other.
template <typename V, int ROWS, typename Output>
inline void store_rows(const typename V::Ints (&acc)[ROWS][4], const float* multiplier,
                       const Output& out, size_t offset, size_t row_stride) {
  typename V::Floats x[ROWS][4];
#pragma GCC unroll 4
  for (size_t j = 0; j < 4; ++j) {
    const auto scale = load_vector<typename V::Floats>(multiplier + j * V::kChannels / 4);
#pragma GCC unroll 2
    for (int r = 0; r < ROWS; ++r) x[r][j] = V::scale(acc[r][j], scale);
  }
#pragma GCC unroll 2
  for (int r = 0; r < ROWS; ++r, offset += row_stride) out.store(offset, x[r]);
}

template <typename V, int ROWS>
inline void load_bias(typename V::Ints (&acc)[ROWS][4], const int32_t* bias) {
#pragma GCC unroll 4
  for (size_t j = 0; j < 4; ++j) {
    acc[0][j] = load_vector<typename V::Ints>(bias + j * V::kChannels / 4);
    if constexpr (ROWS == 2) acc[1][j] = acc[0][j];
  }
}

/// The same channels under four taps: vector j holds 4 bytes for each of its channels.
template <typename V>
struct Quads {
  static constexpr size_t kRows = 4;
  static constexpr bool kByThree = false;
  using Ints = V::Ints;
  Ints q[4];

  __attribute__((always_inline)) static Quads load(const int8_t* const (&rows)[kRows],
                                                   size_t offset) {
    const Ints top_bit = V::set8(-128);
    const Ints row0 = load_vector<Ints>(rows[0] + offset) ^ top_bit;
    const Ints row1 = load_vector<Ints>(rows[1] + offset) ^ top_bit;
    const Ints row2 = load_vector<Ints>(rows[2] + offset) ^ top_bit;
    const Ints row3 = load_vector<Ints>(rows[3] + offset) ^ top_bit;
    const Ints low01 = V::low8(row0, row1);
    const Ints low23 = V::low8(row2, row3);
    const Ints high01 = V::high8(row0, row1);
    const Ints high23 = V::high8(row2, row3);
    return {{V::low16(low01, low23), V::high16(low01, low23), V::low16(high01, high23),
             V::high16(high01, high23)}};
  }
};

/// acc += quads of a times those at weights + OFFSET. gcc 12 copies and spills accumulators around
/// the intrinsic, and takes a register per address.
template <int OFFSET, typename Ints>
inline void dot_accumulate(Ints& acc, Ints a, const int8_t* weights) {
  asm("vpdpbusd %c3(%2), %1, %0" : "+v"(acc) : "v"(a), "r"(weights), "i"(OFFSET));
}

/// The INDEX-th set of quads of weights.
template <typename V, int INDEX>
inline void accumulate(typename V::Ints (&acc)[4], const Quads<V>& a, const int8_t* weights) {
  constexpr int kBytes = sizeof(typename V::Ints);
  dot_accumulate<(INDEX * 4 + 0) * kBytes>(acc[0], a.q[0], weights);
  dot_accumulate<(INDEX * 4 + 1) * kBytes>(acc[1], a.q[1], weights);
  dot_accumulate<(INDEX * 4 + 2) * kBytes>(acc[2], a.q[2], weights);
  dot_accumulate<(INDEX * 4 + 3) * kBytes>(acc[3], a.q[3], weights);
}

/// ROWS output pixels below each other from the three columns under their windows.
template <typename V, int ROWS, typename Output>
inline void pixels(const Quads<V>& a0, const Quads<V>& a1, const Quads<V>& a2,
                   const Group<V::kChannels>& group, const Output& out, size_t offset,
                   size_t row_stride) {
  typename V::Ints acc[ROWS][4];
  load_bias<V>(acc, group.bias);
  const int8_t* weights = group.weights;
  size_t part = group.parts;
  do {
    accumulate<V, 0>(acc[0], a0, weights);
    if constexpr (ROWS == 2) accumulate<V, 1>(acc[1], a0, weights);
    accumulate<V, 2>(acc[0], a1, weights);
    if constexpr (ROWS == 2) accumulate<V, 3>(acc[1], a1, weights);
    accumulate<V, 4>(acc[0], a2, weights);
    if constexpr (ROWS == 2) accumulate<V, 5>(acc[1], a2, weights);
    weights += 6 * 4 * V::kChannels;
  } while (--part != 0);
  store_rows<V>(acc, group.multiplier, out, offset, row_stride);
}

/// 3x3: a group of channels of ROWS output rows.
template <typename V, typename Output, int ROWS, int S>
void filter_rows(const DwconvQs8Args& args, size_t c, const std::byte* packed) {
  const Group<V::kChannels> group(packed);
  const Output out(args, args.channels - c);
  const size_t row_stride = args.dst_row_stride;
  const auto under_window = [&](const auto& a0, const auto& a1, const auto& a2, size_t offset)
                                __attribute__((always_inline)) {
                                  pixels<V, ROWS>(a0, a1, a2, group, out, offset, row_stride);
                                };
  slide<Quads<V>, ROWS, S>(args, c, under_window);
}

template <typename V, int ROWS>
inline void filter_rows(const DwconvQs8Args& args, size_t c, const std::byte* packed) {
  if (args.stride_w == 1 && args.dilation_w == 1) {
    filter_rows<V, Codes<V>, ROWS, 1>(args, c, packed);
  } else if (args.stride_w == 2 && args.dilation_w == 1) {
    filter_rows<V, Codes<V>, ROWS, 2>(args, c, packed);
  } else {
    filter_rows<V, Codes<V>, ROWS, 0>(args, c, packed);
  }
}

struct Filter3x3 {
  template <typename V>
  static const std::byte* run(const DwconvQs8Args& args, size_t c, const std::byte* packed) {
    if (args.output_rows == 2) {
      filter_rows<V, 2>(args, c, packed);
    } else {
      filter_rows<V, 1>(args, c, packed);
    }
    return Group<V::kChannels>(packed).end(6 * 4);
  }
};

/// The same to real numbers, which fewer layers want: it has fewer forms.
struct RealFilter3x3 {
  template <typename V>
  static const std::byte* run(const DwconvQs8Args& args, size_t c, const std::byte* packed) {
    if (args.stride_w == 1 && args.dilation_w == 1) {
      filter_rows<V, Reals<V>, 1, 1>(args, c, packed);
    } else {
      filter_rows<V, Reals<V>, 1, 0>(args, c, packed);
    }
    return Group<V::kChannels>(packed).end(6 * 4);
  }
};

/// Any filter, one pixel, whose taps are filled: a group of channels.
template <template <typename> typename Output>
struct FilterTaps {
  size_t x;

  template <typename V>
  const std::byte* run(const DwconvQs8Args& args, size_t c, const std::byte* packed) const {
    const Group<V::kChannels> group(packed);
    const Output<V> out(args, args.channels - c);
    const size_t taps = (args.kernel_h * args.kernel_w + 3) / 4 * 4;
    typename V::Ints acc[1][4];
    load_bias<V>(acc, group.bias);
    const int8_t* weights = group.weights;
    for (size_t part = 0; part < group.parts; ++part) {
      for (size_t t = 0; t < taps; t += 4, weights += 4 * V::kChannels) {
        const int8_t* const quad[] = {args.taps[t], args.taps[t + 1], args.taps[t + 2],
                                      args.taps[t + 3]};
        accumulate<V, 0>(acc[0], Quads<V>::load(quad, c), weights);
      }
    }
    store_rows<V>(acc, group.multiplier, out, x * args.channels + c, 0);
    return group.end(taps);
  }
};

/// Runs `filter` on all groups of channels.
template <typename F>
inline void for_each_group(const DwconvQs8Args& args, const F& filter) {
  const auto* packed = static_cast<const std::byte*>(args.packed);
  for (size_t c = 0; c < args.channels;) {
    const size_t width = quad_group_width(args.channels - c);
    if (width == Zmm::kChannels) {
      packed = filter.template run<Zmm>(args, c, packed);
    } else if (width == Ymm::kChannels) {
      packed = filter.template run<Ymm>(args, c, packed);
    } else {
      packed = filter.template run<Xmm>(args, c, packed);
    }
    c += width;
  }
}

template <template <typename> typename Output>
inline void filter_any(const DwconvQs8Args& args) {
  for (size_t x = 0; x < args.output_w; ++x) {
    fill_taps(args, x);
    for_each_group(args, FilterTaps<Output>{x});
  }
}

}  // namespace

void dwconv_qs8_3x3x64__avx512vnni(const DwconvQs8Args& args) {
  if (args.real_dst == nullptr) return for_each_group(args, Filter3x3{});
  for_each_row(args, [](const DwconvQs8Args& row) { for_each_group(row, RealFilter3x3{}); });
}

void dwconv_qs8_1x64__avx512vnni(const DwconvQs8Args& args) {
  args.real_dst == nullptr ? filter_any<Codes>(args) : filter_any<Reals>(args);
}

}  // namespace bitpose
