// SPDX-License-Identifier: Apache-2.0
#include "kernels/avgpool_f32/vector.h"
#include "kernels/base/f32_vector_neon.h"

namespace bitpose {

void avgpool_f32_16__neon(const PoolWindow& window, const float* src, float count, float* dst) {
  pool_outputs<Averages<F32x4, 4>, Averages<F32x4, 1>, Averages<F32x1, 1>>(window, count, src, dst);
}

}  // namespace bitpose
