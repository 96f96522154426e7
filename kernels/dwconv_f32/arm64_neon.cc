// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/f32_vector_neon.h"
#include "kernels/dwconv_f32/vector.h"

namespace bitpose {

void dwconv_f32_8x4__neon(const DwconvF32Args& args) { dwconv_f32<F32x4>(args); }

}  // namespace bitpose
