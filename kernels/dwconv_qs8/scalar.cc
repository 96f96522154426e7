// SPDX-License-Identifier: Apache-2.0
#include "kernels/dwconv_qs8/dwconv_qs8.h"
#include "kernels/dwconv_qs8/taps.h"

namespace bitpose {
namespace {

/// The specification. Every other kernel of the family gives the same bits.
template <size_t NR>
void dwconv_qs8(const DwconvQs8Args& args) {
  const size_t ks = args.kernel_h * args.kernel_w;
  const size_t group_bytes = NR * (sizeof(int32_t) + sizeof(float) + ks * sizeof(int16_t));
  for (size_t x = 0; x < args.output_w; ++x) {
    fill_taps(args, x);
    for (size_t c = 0; c < args.channels; ++c) {
      const auto* group = static_cast<const std::byte*>(args.packed) + c / NR * group_bytes;
      const auto* bias = reinterpret_cast<const uint32_t*>(group);
      const auto* multiplier = reinterpret_cast<const float*>(bias + NR);
      const auto* weights = reinterpret_cast<const int16_t*>(multiplier + NR);
      uint32_t acc = bias[c % NR];
      for (size_t t = 0; t < ks; ++t) {
        acc += static_cast<uint32_t>(args.taps[t][c] * weights[t * NR + c % NR]);
      }
      const auto sum = static_cast<int32_t>(acc);
      const size_t index = x * args.channels + c;
      if (args.real_dst != nullptr) {
        args.real_dst[index] = rescale(sum, multiplier[c % NR], args.fmin, args.fmax);
      } else {
        args.dst[index] = requantize(sum, multiplier[c % NR], args.range);
      }
    }
  }
}

}  // namespace

void dwconv_qs8_1x4__scalar(const DwconvQs8Args& args) { dwconv_qs8<4>(args); }
void dwconv_qs8_1x6__test(const DwconvQs8Args& args) { dwconv_qs8<6>(args); }

}  // namespace bitpose
