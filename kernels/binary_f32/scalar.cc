// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/f32_vector.h"
#include "kernels/binary_f32/vector.h"

namespace bitpose {

void binary_f32_1__scalar(BinaryFunction function, size_t n, const BinaryF32Row& row, float* dst) {
  binary_f32<F32x1>(function, n, row, dst);
}

}  // namespace bitpose
