// SPDX-License-Identifier: Apache-2.0
#include "kernels/dwconv_qs8/check.h"

#include <algorithm>
#include <string>

#include "kernels/base/aligned.h"
#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/overread.h"
#include "kernels/base/random_range.h"

namespace bitpose {
namespace {

/// Operands that a random problem points to.
struct Operands {
  std::vector<int8_t> weights, input;
  std::vector<int32_t> bias;
  std::vector<float> multiplier;
};

DwconvQs8Problem random_problem(Random& random, Operands& operands) {
  DwconvQs8Problem problem;
  DwconvQs8Weights& layer = problem.layer;
  layer.channels = static_cast<size_t>(random.integer(1, random.chance(2) ? 40 : 150));
  const bool square3 = random.chance(2);
  layer.kernel_h = square3 ? 3 : static_cast<size_t>(random.integer(1, 5));
  layer.kernel_w = square3 ? 3 : static_cast<size_t>(random.integer(1, 7));
  problem.stride_w = static_cast<size_t>(random.integer(1, 3));
  problem.dilation_w = random.chance(4) ? 2 : 1;
  problem.input_w = static_cast<size_t>(random.integer(1, 20));
  problem.pad_left = static_cast<size_t>(random.integer(0, 3));
  problem.output_w = static_cast<size_t>(random.integer(1, 20));
  problem.output_rows = static_cast<size_t>(random.integer(1, 2));
  const size_t rows = problem.output_rows + layer.kernel_h - 1;
  problem.first_row = static_cast<size_t>(random.integer(0, 1));
  problem.end_row = rows - static_cast<size_t>(random.integer(0, 1));
  operands.weights = random.codes(layer.kernel_h * layer.kernel_w * layer.channels,
                                  random.chance(2) ? -127 : -128);
  operands.input = random.codes(rows * problem.input_w * layer.channels);
  const float scale = random.chance(8) ? 1e6f : 1.0f / 512.0f;
  for (size_t c = 0; c < layer.channels; ++c) {
    operands.bias.push_back(static_cast<int32_t>(random.integer(-40000, 40000)));
    operands.multiplier.push_back(random.real(0.1f, 1.0f) * scale);
  }
  layer.weights = operands.weights.data();
  layer.bias = operands.bias.data();
  layer.multiplier = operands.multiplier.data();
  layer.input_zero_point = static_cast<int32_t>(random.integer(-128, 127));
  layer.weight_zero_point = random.chance(2) ? 0 : static_cast<int32_t>(random.integer(-128, 127));
  problem.input = operands.input.data();
  problem.range = random_range(random);
  return problem;
}

std::string text(const DwconvQs8Problem& problem) {
  return "channels=" + std::to_string(problem.layer.channels) +
         " kernel=" + std::to_string(problem.layer.kernel_h) + "x" +
         std::to_string(problem.layer.kernel_w) + " stride=" + std::to_string(problem.stride_w) +
         " dilation=" + std::to_string(problem.dilation_w) +
         " pad=" + std::to_string(problem.pad_left) + " input=" + std::to_string(problem.input_w) +
         " output=" + std::to_string(problem.output_rows) + "x" + std::to_string(problem.output_w);
}

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  Operands operands;
  const DwconvQs8Problem problem = random_problem(random, operands);
  const DwconvQs8Kernel& kernel = dwconv_qs8_kernels()[index];
  if (!eligible(kernel, prove_dwconv_qs8(problem.layer))) return {};
  const DwconvQs8Kernel& portable = select_dwconv_qs8(isa::scalar, {});
  return first_difference<int8_t>(text(problem), run_dwconv_qs8(kernel, problem),
                                  run_dwconv_qs8(portable, problem));
}

}  // namespace

std::vector<int8_t> run_dwconv_qs8(const DwconvQs8Kernel& kernel, const DwconvQs8Problem& problem) {
  const DwconvQs8Weights& layer = problem.layer;
  const size_t row_bytes = problem.input_w * layer.channels;
  const size_t row_count = problem.output_rows + layer.kernel_h - 1;
  std::vector<int8_t> input(row_count * row_bytes + kOverread, int8_t{-77});
  std::copy_n(problem.input, row_count * row_bytes, input.begin());
  const std::vector<int8_t> padding(row_bytes + kOverread,
                                    static_cast<int8_t>(layer.input_zero_point));
  std::vector<const int8_t*> rows(row_count, padding.data());
  for (size_t ky = problem.first_row; ky < problem.end_row; ++ky) {
    rows[ky] = input.data() + ky * row_bytes;
  }
  std::vector<const int8_t*> taps(layer.kernel_h * layer.kernel_w + 3);
  const auto packed = allocate_aligned<std::byte>(packed_dwconv_bytes(kernel, layer));
  pack_dwconv(kernel, layer, packed.get());
  std::vector<int8_t> dst(problem.output_rows * problem.output_w * layer.channels);
  DwconvQs8Args args;
  args.channels = layer.channels;
  args.kernel_h = layer.kernel_h;
  args.kernel_w = layer.kernel_w;
  args.stride_w = problem.stride_w;
  args.dilation_w = problem.dilation_w;
  args.pad_left = problem.pad_left;
  args.input_w = problem.input_w;
  args.output_w = problem.output_w;
  args.padding = padding.data();
  args.taps = taps.data();
  args.packed = packed.get();
  args.range = problem.range;
  args.dst_row_stride = problem.output_w * layer.channels;
  for (size_t row = 0; row < problem.output_rows; row += args.output_rows) {
    args.output_rows = std::min<size_t>(kernel.output_rows, problem.output_rows - row);
    args.rows = rows.data() + row;
    args.dst = dst.data() + row * args.dst_row_stride;
    kernel.run(args);
  }
  return dst;
}

KernelFamily dwconv_qs8_family() {
  return {"dwconv_qs8", dwconv_qs8_kernels().size(),
          [](size_t index) {
            const DwconvQs8Kernel& kernel = dwconv_qs8_kernels()[index];
            return KernelInfo{kernel.name, kernel.isa};
          },
          compare};
}

}  // namespace bitpose
