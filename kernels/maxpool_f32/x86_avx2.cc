// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/f32_vector_avx2.h"
#include "kernels/maxpool_f32/vector.h"

namespace bitpose {

void maxpool_f32_32__avx2(const PoolWindow& window, const float* src, float* dst) {
  pool_outputs<Maxima<F32x8, 4>, Maxima<F32x8, 1>, Maxima<F32x4, 1>, Maxima<F32x1, 1>>(
      window, NoParams{}, src, dst);
}

}  // namespace bitpose
