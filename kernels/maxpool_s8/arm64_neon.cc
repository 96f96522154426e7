// SPDX-License-Identifier: Apache-2.0
#include <arm_neon.h>

#include "kernels/base/pool_blocks.h"
#include "kernels/maxpool_s8/maxpool_s8.h"

namespace bitpose {
namespace {

template <int N>
struct Bytes16 {
  static constexpr size_t kWidth = 16 * N;
  int8x16_t v[N];

  Bytes16(NoParams, const int8_t* src) {
#pragma GCC unroll 2
    for (int i = 0; i < N; ++i) v[i] = vld1q_s8(src + 16 * i);
  }
  void take(const int8_t* src) {
#pragma GCC unroll 2
    for (int i = 0; i < N; ++i) v[i] = vmaxq_s8(v[i], vld1q_s8(src + 16 * i));
  }
  void store(NoParams, int8_t* dst) const {
#pragma GCC unroll 2
    for (int i = 0; i < N; ++i) vst1q_s8(dst + 16 * i, v[i]);
  }
};

struct Bytes8 {
  static constexpr size_t kWidth = 8;
  int8x8_t v;

  Bytes8(NoParams, const int8_t* src) : v(vld1_s8(src)) {}
  void take(const int8_t* src) { v = vmax_s8(v, vld1_s8(src)); }
  void store(NoParams, int8_t* dst) const { vst1_s8(dst, v); }
};

struct Byte {
  static constexpr size_t kWidth = 1;
  int8_t v;

  Byte(NoParams, const int8_t* src) : v(*src) {}
  void take(const int8_t* src) { v = *src > v ? *src : v; }
  void store(NoParams, int8_t* dst) const { *dst = v; }
};

}  // namespace

void maxpool_s8_32__neon(const PoolWindow& window, const int8_t* src, int8_t* dst) {
  pool_outputs<Bytes16<2>, Bytes16<1>, Bytes8, Byte>(window, NoParams{}, src, dst);
}

}  // namespace bitpose
