// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/f32_vector_avx512.h"
#include "kernels/unary_f32/vector.h"

namespace bitpose {

void unary_f32_16__avx512vnni(UnaryFunction function, float alpha, float beta, size_t n,
                              const float* src, float* dst) {
  unary_f32<F32x16>(function, alpha, beta, n, src, dst);
}

}  // namespace bitpose
