// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/math.h"
#include "kernels/softmax_f32/softmax_f32.h"

namespace bitpose {
namespace {

constexpr size_t kLanes = 16;

float largest(size_t n, const float* x) {
  float m = -std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < n; ++i) m = x[i] > m ? x[i] : m;
  return m;
}

}  // namespace

void softmax_f32_16__scalar(size_t rows, size_t n, const float* src, float* dst) {
  for (size_t row = 0; row < rows; ++row, src += n, dst += n) {
    const float m = largest(n, src);
    float sum[kLanes] = {};
    for (size_t i = 0; i < n; ++i) {
      dst[i] = exp_f32(src[i] - m);
      sum[i % kLanes] += dst[i];
    }
    for (size_t half = kLanes / 2; half > 0; half /= 2) {
      for (size_t lane = 0; lane < half; ++lane) sum[lane] += sum[lane + half];
    }
    for (size_t i = 0; i < n; ++i) dst[i] /= sum[0];
  }
}

}  // namespace bitpose
