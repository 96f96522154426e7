// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/f32_vector_avx512.h"
#include "kernels/softmax_f32/vector.h"

namespace bitpose {

void softmax_f32_16__avx512vnni(size_t rows, size_t n, const float* src, float* dst) {
  softmax_f32<F32x16>(rows, n, src, dst);
}

}  // namespace bitpose
