// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/f32_vector_avx2.h"
#include "kernels/resize_f32/vector.h"

namespace bitpose {

void resize_f32_8__avx2(const ResizeF32Args& args) {
  if (args.kc >= F32x8::kLanes) {
    resize_f32<F32x8>(args);
  } else if (args.kc >= F32x4::kLanes) {
    resize_f32<F32x4>(args);
  } else {
    resize_f32<F32x1>(args);
  }
}

}  // namespace bitpose
