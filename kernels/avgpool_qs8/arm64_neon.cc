// SPDX-License-Identifier: Apache-2.0
#include "kernels/avgpool_qs8/blocks.h"
#include "kernels/base/requantize_neon.h"

namespace bitpose {
namespace {

using PoolParams = Params<RequantizeNeon>;

/// N groups of 8 channels.
template <int N>
struct Words {
  static constexpr size_t kWidth = 8 * N;
  int16x8_t sum[N];
  int32x4_t acc[N][2];
  size_t taps = 0;

  Words(const PoolParams& params, const int8_t*) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      sum[i] = vdupq_n_s16(0);
      acc[i][0] = acc[i][1] = vdupq_n_s32(params.bias);
    }
  }

  void take(const int8_t* src) {
    if (taps++ == kTapsPerFlush) flush();
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) sum[i] = vaddw_s8(sum[i], vld1_s8(src + 8 * i));
  }

  void flush() {
    taps = 1;
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      acc[i][0] = vaddw_s16(acc[i][0], vget_low_s16(sum[i]));
      acc[i][1] = vaddw_high_s16(acc[i][1], sum[i]);
      sum[i] = vdupq_n_s16(0);
    }
  }

  void store(const PoolParams& params, int8_t* dst) {
    flush();
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      vst1_s8(dst + 8 * i, params.vectors.codes(params.vectors.words(acc[i][0], acc[i][1])));
    }
  }
};

}  // namespace

void avgpool_qs8_32__neon(const AvgpoolQs8Args& args) {
  const PoolParams params(args);
  pool_outputs<Words<4>, Words<1>, Code<PoolParams>>(args.window, params, args.src, args.dst);
}

}  // namespace bitpose
