// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/base/partial.h"
#include "kernels/base/requantize_neon.h"

// For files compiled for AArch64 only: everything is in an unnamed namespace.
namespace bitpose {
namespace {

/// dst(i) = code of an operator of a(i) and b(i), or of a(i) and b(0).
///
///   Operator(const Args& args)
///   requantize                            a RequantizeNeon
///   words(int8x8_t a, int8x8_t b) const   requantize.words of 8 elements
template <typename Operator, bool b_is_scalar, typename Args>
inline void binary_qs8(const Args& args) {
  const Operator op(args);
  const int8_t* a = args.a;
  const int8_t* b = args.b;
  int8_t* dst = args.dst;
  const size_t n = args.n;
  const int8x16_t vscalar = vdupq_n_s8(*b);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const int8x16_t va = vld1q_s8(a + i);
    const int8x16_t vb = b_is_scalar ? vscalar : vld1q_s8(b + i);
    vst1q_s8(dst + i, op.requantize.codes(op.words(vget_low_s8(va), vget_low_s8(vb)),
                                          op.words(vget_high_s8(va), vget_high_s8(vb))));
  }
  for (; i < n; i += 8) {
    const size_t count = n - i < 8 ? n - i : 8;
    const auto part = [&](const int8_t* src) { return vcreate_s8(load_up_to_8(src + i, count)); };
    const int8x8_t codes =
        op.requantize.codes(op.words(part(a), b_is_scalar ? vget_low_s8(vscalar) : part(b)));
    store_up_to_8(dst + i, vget_lane_u64(vreinterpret_u64_s8(codes), 0), count);
  }
}

template <typename Operator, typename Args>
inline void binary_qs8(const Args& args) {
  if (args.n == 0) return;
  if (args.b_is_scalar) {
    binary_qs8<Operator, true>(args);
  } else {
    binary_qs8<Operator, false>(args);
  }
}

}  // namespace
}  // namespace bitpose
