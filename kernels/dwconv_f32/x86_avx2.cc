// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/f32_vector_avx2.h"
#include "kernels/dwconv_f32/vector.h"

namespace bitpose {

void dwconv_f32_8x8__avx2(const DwconvF32Args& args) { dwconv_f32<F32x8>(args); }

}  // namespace bitpose
