// SPDX-License-Identifier: Apache-2.0
#include <arm_neon.h>

#include "kernels/base/f32_vector_neon.h"
#include "kernels/dwconv_qs8/columns.h"
#include "kernels/dwconv_qs8/parts.h"
#include "kernels/dwconv_qs8/taps.h"

// 16 channels of one pixel. SMULL and SMLAL let the products of two taps share an int16, at most
// 2 * 128 * 127 = 32512, before SADDW adds them to int32. Weights beyond int8 are sums of several
// parts.
//
//   per pair of taps: smull, smull2, smlal, smlal2, 4 saddw
//
// 3x3x16: the nine pixels under the window (v: 3 columns of 3) and their weights (9) stay in
// registers while the window moves on; with 4 accumulators and 4 temporaries that is 26 of 32.
//
// FCVTNS saturates, so integer clamps after it equal the float clamp whatever the accumulator is.
namespace bitpose {
namespace {

constexpr size_t NR = 16;

// gcc 12 keeps the low half of a vector that an intrinsic takes in a register of its own, for which
// the window leaves no room; these take whole vectors.

inline int16x8_t multiply_low(int8x16_t a, int8x16_t b) {
  int16x8_t products;
  asm("smull %0.8h, %1.8b, %2.8b" : "=w"(products) : "w"(a), "w"(b));
  return products;
}

inline int16x8_t multiply_low_add(int16x8_t sum, int8x16_t a, int8x16_t b) {
  asm("smlal %0.8h, %1.8b, %2.8b" : "+w"(sum) : "w"(a), "w"(b));
  return sum;
}

inline int32x4_t add_low(int32x4_t sum, int16x8_t words) {
  asm("saddw %0.4s, %0.4s, %1.4h" : "+w"(sum) : "w"(words));
  return sum;
}

/// 16 accumulators.
struct Accumulators {
  int32x4_t acc[4];

  static Accumulators from(const int32_t* bias) {
    return {{vld1q_s32(bias), vld1q_s32(bias + 4), vld1q_s32(bias + 8), vld1q_s32(bias + 12)}};
  }

  void add(int16x8_t low, int16x8_t high) {
    acc[0] = add_low(acc[0], low);
    acc[1] = vaddw_high_s16(acc[1], low);
    acc[2] = add_low(acc[2], high);
    acc[3] = vaddw_high_s16(acc[3], high);
  }
  void add_products(int8x16_t a, int8x16_t w) { add(multiply_low(a, w), vmull_high_s8(a, w)); }
  void add_products(int8x16_t a0, int8x16_t w0, int8x16_t a1, int8x16_t w1) {
    const int16x8_t low = multiply_low(a0, w0);
    const int16x8_t high = vmull_high_s8(a0, w0);
    add(multiply_low_add(low, a1, w1), vmlal_high_s8(high, a1, w1));
  }
};

/// The sums of channels 4 i and following, scaled.
inline float32x4_t scale(const Accumulators& from, const float* multiplier, size_t i) {
  return vmulq_f32(vcvtq_f32_s32(from.acc[i]), vld1q_f32(multiplier + 4 * i));
}

/// What becomes of the sums of a group: codes.
struct Codes {
  int8_t* dst;
  int16x8_t zero_point;
  int8x16_t qmin, qmax;
  const float* multiplier;
  size_t count;  ///< Channels left, this group's and those behind.

  Codes(const DwconvQs8Args& args, const Group<NR>& group, size_t channels)
      : dst(args.dst),
        zero_point(vdupq_n_s16(static_cast<int16_t>(args.range.zero_point))),
        qmin(vdupq_n_s8(static_cast<int8_t>(args.range.qmin))),
        qmax(vdupq_n_s8(static_cast<int8_t>(args.range.qmax))),
        multiplier(group.multiplier),
        count(channels) {}

  int16x8_t words(const Accumulators& from, size_t i) const {
    const int32x4_t low = vcvtnq_s32_f32(scale(from, multiplier, i));
    const int32x4_t high = vcvtnq_s32_f32(scale(from, multiplier, i + 1));
    return vqaddq_s16(vqmovn_high_s32(vqmovn_s32(low), high), zero_point);
  }
  void store(size_t offset, const Accumulators& from) const {
    const int8x16_t bytes = vqmovn_high_s16(vqmovn_s16(words(from, 0)), words(from, 2));
    const int8x16_t codes = vminq_s8(vmaxq_s8(bytes, qmin), qmax);
    if (count >= NR) {
      vst1q_s8(dst + offset, codes);
      return;
    }
    int8_t buffer[NR];
    vst1q_s8(buffer, codes);
    __builtin_memcpy(dst + offset, buffer, count);
  }
};

/// Real numbers.
struct Reals {
  float* dst;
  F32x4 fmin, fmax;
  const float* multiplier;
  size_t count;

  Reals(const DwconvQs8Args& args, const Group<NR>& group, size_t channels)
      : dst(args.real_dst),
        fmin(F32x4::splat(args.fmin)),
        fmax(F32x4::splat(args.fmax)),
        multiplier(group.multiplier),
        count(channels) {}

  void store(size_t offset, const Accumulators& from) const {
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; ++i) {
      if (count <= 4 * i) break;
      clamp(F32x4{scale(from, multiplier, i)}, fmin, fmax)
          .store_partial(dst + offset + 4 * i, count - 4 * i);
    }
  }
};

/// The pixels of one column under the window, or their weights.
struct Column {
  static constexpr size_t kRows = 3;
  static constexpr bool kByThree = true;
  int8x16_t row0, row1, row2;

  static Column load(const int8_t* const (&rows)[kRows], size_t offset) {
    return {vld1q_s8(rows[0] + offset), vld1q_s8(rows[1] + offset), vld1q_s8(rows[2] + offset)};
  }
};

/// Weights of a 3x3 filter by columns.
struct Weights {
  Column column0, column1, column2;

  explicit Weights(const int8_t* taps)
      : column0{vld1q_s8(taps), vld1q_s8(taps + 3 * NR), vld1q_s8(taps + 6 * NR)},
        column1{vld1q_s8(taps + NR), vld1q_s8(taps + 4 * NR), vld1q_s8(taps + 7 * NR)},
        column2{vld1q_s8(taps + 2 * NR), vld1q_s8(taps + 5 * NR), vld1q_s8(taps + 8 * NR)} {}
};

inline void add_window(Accumulators& acc, const Column& a0, const Column& a1, const Column& a2,
                       const Weights& w) {
  acc.add_products(a0.row0, w.column0.row0, a0.row1, w.column0.row1);
  acc.add_products(a0.row2, w.column0.row2, a1.row0, w.column1.row0);
  acc.add_products(a1.row1, w.column1.row1, a1.row2, w.column1.row2);
  acc.add_products(a2.row0, w.column2.row0, a2.row1, w.column2.row1);
  acc.add_products(a2.row2, w.column2.row2);
}

/// One output pixel from the three columns under its window; `first` is the first part of the
/// weights. Inlined by force: arguments in memory would cost more than the arithmetic.
template <bool WIDE, typename Output>
__attribute__((always_inline)) inline void pixel(const Column& a0, const Column& a1,
                                                 const Column& a2, const Group<NR>& group,
                                                 const Weights& first, const Output& out,
                                                 size_t offset) {
  Accumulators acc = Accumulators::from(group.bias);
  add_window(acc, a0, a1, a2, first);
  for (size_t part = 1; WIDE && part < group.parts; ++part) {
    add_window(acc, a0, a1, a2, Weights(group.weights + part * 9 * NR));
  }
  out.store(offset, acc);
}

/// 3x3: a group of channels. WIDE weights have several parts.
template <typename Output, int S, bool WIDE>
void filter_row(const DwconvQs8Args& args, size_t c, const Group<NR> group) {
  const Output out(args, group, args.channels - c);
  const Weights weights(group.weights);
  const auto under_window =
      [&](const Column& a0, const Column& a1, const Column& a2, size_t offset)
          __attribute__((always_inline)) { pixel<WIDE>(a0, a1, a2, group, weights, out, offset); };
  slide<Column, 1, S>(args, c, under_window);
}

/// Any filter: one pixel, whose taps are filled, of a group of channels.
template <typename Output>
inline void pixel_any(const DwconvQs8Args& args, size_t taps, size_t c, const Group<NR>& group,
                      size_t offset) {
  Accumulators acc = Accumulators::from(group.bias);
  const int8_t* w = group.weights;
  for (size_t part = 0; part < group.parts; ++part) {
    size_t t = 0;
    for (; t + 2 <= taps; t += 2, w += 2 * NR) {
      acc.add_products(vld1q_s8(args.taps[t] + c), vld1q_s8(w), vld1q_s8(args.taps[t + 1] + c),
                       vld1q_s8(w + NR));
    }
    if (t < taps) {
      acc.add_products(vld1q_s8(args.taps[t] + c), vld1q_s8(w));
      w += NR;
    }
  }
  Output(args, group, args.channels - c).store(offset, acc);
}

template <typename Output>
inline void filter_any(const DwconvQs8Args& args) {
  const size_t taps = args.kernel_h * args.kernel_w;
  for (size_t x = 0; x < args.output_w; ++x) {
    fill_taps(args, x);
    const auto* packed = static_cast<const std::byte*>(args.packed);
    for (size_t c = 0; c < args.channels; c += NR) {
      const Group<NR> group(packed);
      pixel_any<Output>(args, taps, c, group, x * args.channels + c);
      packed = group.end(taps);
    }
  }
}

}  // namespace

void dwconv_qs8_3x3x16__neon(const DwconvQs8Args& args) {
  const size_t stride = args.dilation_w == 1 ? args.stride_w : 0;
  const auto* packed = static_cast<const std::byte*>(args.packed);
  for (size_t c = 0; c < args.channels; c += NR) {
    const Group<NR> group(packed);
    if (args.real_dst != nullptr) {
      // Fewer layers want real numbers: there are fewer forms of it.
      stride == 1 ? filter_row<Reals, 1, true>(args, c, group)
                  : filter_row<Reals, 0, true>(args, c, group);
    } else if (group.parts > 1 || (stride != 1 && stride != 2)) {
      filter_row<Codes, 0, true>(args, c, group);
    } else if (stride == 1) {
      filter_row<Codes, 1, false>(args, c, group);
    } else {
      filter_row<Codes, 2, false>(args, c, group);
    }
    packed = group.end(9);
  }
}

void dwconv_qs8_1x16__neon(const DwconvQs8Args& args) {
  args.real_dst == nullptr ? filter_any<Codes>(args) : filter_any<Reals>(args);
}

}  // namespace bitpose
