// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/f32_vector_neon.h"
#include "kernels/resize_f32/vector.h"

namespace bitpose {

void resize_f32_4__neon(const ResizeF32Args& args) {
  if (args.kc >= F32x4::kLanes) {
    resize_f32<F32x4>(args);
  } else {
    resize_f32<F32x1>(args);
  }
}

}  // namespace bitpose
