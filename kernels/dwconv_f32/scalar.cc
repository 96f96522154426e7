// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/base/clamp.h"
#include "kernels/dwconv_f32/dwconv_f32.h"

namespace bitpose {
namespace {

/// The specification. Every other kernel of the family gives the same bits.
template <size_t NR>
void dwconv_f32(const DwconvF32Args& args) {
  const size_t taps = args.kernel_h * args.kernel_w;
  for (size_t x = 0; x < args.output_w; ++x) {
    for (size_t c = 0; c < args.channels; ++c) {
      const float* weight = args.packed + c / NR * (1 + taps) * NR + c % NR;
      float acc = *weight;
      for (size_t ky = 0; ky < args.kernel_h; ++ky) {
        for (size_t kx = 0; kx < args.kernel_w; ++kx) {
          const float* pixel = args.lines[ky][x * args.stride_w + kx];
          weight += NR;
          acc = fmaf(pixel[c], *weight, acc);
        }
      }
      args.dst[x * args.dst_stride + c] = clamp(acc, args.fmin, args.fmax);
    }
  }
}

}  // namespace

void dwconv_f32_1x4__scalar(const DwconvF32Args& args) { dwconv_f32<4>(args); }
void dwconv_f32_1x3__test(const DwconvF32Args& args) { dwconv_f32<3>(args); }

}  // namespace bitpose
