// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/base/aligned.h"
#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/overread.h"
#include "kernels/base/random_range.h"
#include "kernels/dwconv_qs16/dwconv_qs16.h"

namespace bitpose {
namespace {

/// One row of output pixels in canonical layouts.
struct Problem {
  DwconvQs8Weights layer;
  DwconvQs16Args args;  ///< Without pointers.
  std::vector<int8_t> weights;
  std::vector<int16_t> input;  ///< [kernel_h][input_w][channels], padding included.
  std::vector<int32_t> bias;
  std::vector<float> multiplier;

  explicit Problem(Random& random);
  size_t input_w() const { return (args.output_w - 1) * args.stride_w + args.kernel_w; }
  std::string text() const;
  std::vector<int16_t> run(const DwconvQs16Kernel& kernel) const;
};

Problem::Problem(Random& random) {
  layer.channels = args.channels = static_cast<size_t>(random.integer(1, 60));
  layer.kernel_h = args.kernel_h = static_cast<size_t>(random.integer(1, 7));
  layer.kernel_w = args.kernel_w = static_cast<size_t>(random.integer(1, 7));
  args.stride_w = static_cast<size_t>(random.integer(1, 3));
  args.output_w = static_cast<size_t>(random.integer(1, 20));
  args.narrow = random.chance(2);
  args.range = args.narrow ? random_range(random) : random_range16(random);
  const size_t taps = args.kernel_h * args.kernel_w;
  weights = random.codes(taps * args.channels);
  input = random.codes16(args.kernel_h * input_w() * args.channels);
  if (random.chance(4)) {  // The largest sums there are.
    std::fill(weights.begin(), weights.end(), int8_t{-128});
    std::fill(input.begin(), input.end(), int16_t{-32768});
  }
  const float scale = (args.narrow ? 1.0f : 256.0f) / 1e7f;
  const float factor = random.chance(8) ? 1e6f : scale;
  for (size_t c = 0; c < args.channels; ++c) {
    bias.push_back(static_cast<int32_t>(random.integer(-(1 << 30), 1 << 30)));
    multiplier.push_back(random.real(0.1f, 1.0f) * factor);
  }
  layer.weights = weights.data();
  layer.bias = bias.data();
  layer.multiplier = multiplier.data();
}

std::string Problem::text() const {
  return "output_w=" + std::to_string(args.output_w) +
         " channels=" + std::to_string(args.channels) + " kernel=" + std::to_string(args.kernel_h) +
         "x" + std::to_string(args.kernel_w) + " stride=" + std::to_string(args.stride_w) +
         (args.narrow ? " narrow" : "");
}

std::vector<int16_t> Problem::run(const DwconvQs16Kernel& kernel) const {
  const size_t pixels = args.kernel_h * input_w();
  std::vector<int16_t> padded(input.size() + kOverread / sizeof(int16_t), int16_t{-7777});
  std::copy(input.begin(), input.end(), padded.begin());
  std::vector<const int16_t*> columns(pixels);
  for (size_t i = 0; i < pixels; ++i) columns[i] = padded.data() + i * args.channels;
  std::vector<const int16_t* const*> lines(args.kernel_h);
  for (size_t ky = 0; ky < args.kernel_h; ++ky) lines[ky] = columns.data() + ky * input_w();
  const auto packed = allocate_aligned<std::byte>(packed_dwconv_bytes(kernel, layer));
  pack_dwconv(kernel, layer, packed.get());
  const size_t codes = args.output_w * args.channels;
  std::vector<int16_t> words(args.narrow ? 0 : codes);
  std::vector<int8_t> bytes(args.narrow ? codes : 0);
  DwconvQs16Args call = args;
  call.lines = lines.data();
  call.packed = packed.get();
  call.dst = args.narrow ? static_cast<void*>(bytes.data()) : words.data();
  call.dst_stride = args.channels;
  kernel.run(call);
  return args.narrow ? std::vector<int16_t>(bytes.begin(), bytes.end()) : words;
}

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  const Problem problem(random);
  if (!prove_dwconv_qs16(problem.layer)) return {};
  return first_difference<int16_t>(problem.text(), problem.run(dwconv_qs16_kernels()[index]),
                                   problem.run(select_dwconv_qs16(isa::scalar)));
}

}  // namespace

KernelFamily dwconv_qs16_family() {
  return {"dwconv_qs16", dwconv_qs16_kernels().size(),
          [](size_t index) {
            const DwconvQs16Kernel& kernel = dwconv_qs16_kernels()[index];
            return KernelInfo{kernel.name, kernel.isa};
          },
          compare};
}

}  // namespace bitpose
