// SPDX-License-Identifier: Apache-2.0
#include "kernels/dwconv_qs16/dwconv_qs16.h"

namespace bitpose {
namespace {

/// The specification. Every other kernel of the family gives the same bits.
template <size_t NR, size_t KR>
void dwconv_qs16(const DwconvQs16Args& args) {
  const size_t row_steps = (args.kernel_w + KR - 1) / KR;
  const size_t group_words = NR * (4 + args.kernel_h * row_steps * KR);
  for (size_t x = 0; x < args.output_w; ++x) {
    for (size_t c = 0; c < args.channels; ++c) {
      const auto* group = static_cast<const int16_t*>(args.packed) + c / NR * group_words;
      const auto* bias = reinterpret_cast<const int32_t*>(group);
      const auto* multiplier = reinterpret_cast<const float*>(bias + NR);
      const auto* weights = reinterpret_cast<const int16_t*>(multiplier + NR);
      int32_t acc = bias[c % NR];
      for (size_t ky = 0; ky < args.kernel_h; ++ky) {
        for (size_t kx = 0; kx < args.kernel_w; ++kx) {
          const int16_t* pixel = args.lines[ky][x * args.stride_w + kx];
          const size_t step = ky * row_steps + kx / KR;
          acc += pixel[c] * weights[(step * NR + c % NR) * KR + kx % KR];
        }
      }
      const int32_t code =
          requantize_rounded(static_cast<float>(acc), multiplier[c % NR], args.range);
      const size_t at = x * args.dst_stride + c;
      if (args.narrow) {
        static_cast<int8_t*>(args.dst)[at] = static_cast<int8_t>(code);
      } else {
        static_cast<int16_t*>(args.dst)[at] = static_cast<int16_t>(code);
      }
    }
  }
}

}  // namespace

void dwconv_qs16_1x4c1__scalar(const DwconvQs16Args& args) { dwconv_qs16<4, 1>(args); }
void dwconv_qs16_1x6c2__test(const DwconvQs16Args& args) { dwconv_qs16<6, 2>(args); }

}  // namespace bitpose
