// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/requantize16_avx2.h"
#include "kernels/dwconv_qs16/dwconv_qs16.h"

// Two neighbouring taps of 16 channels are interleaved, and vpmaddwd adds their products to int32:
//
//   acc[4 pixels][2]   w0, w1 = two taps of 16 channels   per pixel: a0, a1 <- its two columns
//   vpunpcklwd t, a0, a1    vpmaddwd t, t, w0    vpaddd acc0, acc0, t      (and high, w1, acc1)
//
// Unpacking leaves channels in lane order, and vpackssdw brings them back.
namespace bitpose {
namespace {

constexpr size_t NR = 16;

inline __m256i load(const int16_t* src) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(src));
}

inline void multiply_add(__m256i (&acc)[2], __m256i a0, __m256i a1, __m256i w0, __m256i w1) {
  acc[0] = _mm256_add_epi32(acc[0], _mm256_madd_epi16(_mm256_unpacklo_epi16(a0, a1), w0));
  acc[1] = _mm256_add_epi32(acc[1], _mm256_madd_epi16(_mm256_unpackhi_epi16(a0, a1), w1));
}

/// XR output pixels from x on, the group of channels from c on.
template <int XR>
inline void pixels(const DwconvQs16Args& args, size_t x, size_t c, const int32_t* bias,
                   const Requantize16Avx2& out) {
  const auto* multiplier = reinterpret_cast<const float*>(bias + NR);
  const auto* weights = reinterpret_cast<const int16_t*>(multiplier + NR);
  __m256i acc[XR][2];
#pragma GCC unroll 4
  for (int i = 0; i < XR; ++i) {
    acc[i][0] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bias));
    acc[i][1] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bias + 8));
  }
  for (size_t ky = 0; ky < args.kernel_h; ++ky) {
    const int16_t* const* columns = args.lines[ky] + x * args.stride_w;
    for (size_t kx = 0; kx < args.kernel_w; kx += 2, weights += 2 * NR) {
      // The weight beside the last tap of an odd filter is 0.
      const size_t second = kx + 1 < args.kernel_w ? kx + 1 : kx;
      const __m256i w0 = load(weights);
      const __m256i w1 = load(weights + NR);
#pragma GCC unroll 4
      for (int i = 0; i < XR; ++i) {
        const int16_t* const* column = columns + static_cast<size_t>(i) * args.stride_w;
        multiply_add(acc[i], load(column[kx] + c), load(column[second] + c), w0, w1);
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < XR; ++i) {
    const __m256i codes =
        _mm256_packs_epi32(out.codes(_mm256_cvtepi32_ps(acc[i][0]), multiplier),
                           out.codes(_mm256_cvtepi32_ps(acc[i][1]), multiplier + 8));
    store_codes16(codes, args.narrow, args.dst, (x + static_cast<size_t>(i)) * args.dst_stride + c,
                  args.channels - c);
  }
}

}  // namespace

void dwconv_qs16_4x16c2__avx2(const DwconvQs16Args& args) {
  const Requantize16Avx2 out(args.range);
  const size_t group_words = NR * (4 + args.kernel_h * ((args.kernel_w + 1) / 2) * 2);
  const auto* group = static_cast<const int16_t*>(args.packed);
  for (size_t c = 0; c < args.channels; c += NR, group += group_words) {
    const auto* bias = reinterpret_cast<const int32_t*>(group);
    size_t x = 0;
    for (; x + 4 <= args.output_w; x += 4) pixels<4>(args, x, c, bias, out);
    for (; x < args.output_w; ++x) pixels<1>(args, x, c, bias, out);
  }
}

}  // namespace bitpose
