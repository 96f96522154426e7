// SPDX-License-Identifier: Apache-2.0
#include "kernels/dwconv_qs8/check.h"

#include <algorithm>
#include <limits>
#include <string>

#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/overread.h"
#include "kernels/base/random_range.h"

namespace bitpose {
namespace {

constexpr float kUnbounded = std::numeric_limits<float>::infinity();

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
  problem.real = random.chance(2);
  problem.fmin = random.chance(2) ? -kUnbounded : random.real(-20.0f, 0.0f);
  problem.fmax = random.chance(2) ? kUnbounded : random.real(0.0f, 20.0f);
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
  PackedDwconvQs8 got(kernel, problem);
  PackedDwconvQs8 expected(portable, problem);
  got.run();
  expected.run();
  return problem.real
             ? first_difference<float>(text(problem) + " real", got.real_dst(), expected.real_dst())
             : first_difference<int8_t>(text(problem), got.dst(), expected.dst());
}

}  // namespace

PackedDwconvQs8::PackedDwconvQs8(const DwconvQs8Kernel& kernel, const DwconvQs8Problem& problem)
    : kernel_(kernel), output_rows_(problem.output_rows) {
  const DwconvQs8Weights& layer = problem.layer;
  const size_t row_bytes = problem.input_w * layer.channels;
  const size_t row_count = problem.output_rows + layer.kernel_h - 1;
  input_.assign(row_count * row_bytes + kOverread, int8_t{-77});
  std::copy_n(problem.input, row_count * row_bytes, input_.begin());
  padding_.assign(row_bytes + kOverread, static_cast<int8_t>(layer.input_zero_point));
  rows_.assign(row_count, padding_.data());
  for (size_t ky = problem.first_row; ky < problem.end_row; ++ky) {
    rows_[ky] = input_.data() + ky * row_bytes;
  }
  taps_.resize(layer.kernel_h * layer.kernel_w + 3);
  packed_ = allocate_aligned<std::byte>(packed_dwconv_bytes(kernel, layer));
  pack_dwconv(kernel, layer, packed_.get());
  const size_t outputs = problem.output_rows * problem.output_w * layer.channels;
  if (problem.real) {
    real_dst_.resize(outputs);
    args_.fmin = problem.fmin;
    args_.fmax = problem.fmax;
  } else {
    dst_.resize(outputs);
  }
  args_.channels = layer.channels;
  args_.kernel_h = layer.kernel_h;
  args_.kernel_w = layer.kernel_w;
  args_.stride_w = problem.stride_w;
  args_.dilation_w = problem.dilation_w;
  args_.pad_left = problem.pad_left;
  args_.input_w = problem.input_w;
  args_.output_w = problem.output_w;
  args_.padding = padding_.data();
  args_.taps = taps_.data();
  args_.packed = packed_.get();
  args_.range = problem.range;
  args_.dst_row_stride = problem.output_w * layer.channels;
}

void PackedDwconvQs8::run() {
  for (size_t row = 0; row < output_rows_; row += args_.output_rows) {
    args_.output_rows = std::min<size_t>(kernel_.output_rows, output_rows_ - row);
    args_.rows = rows_.data() + row;
    if (real_dst_.empty()) {
      args_.dst = dst_.data() + row * args_.dst_row_stride;
    } else {
      args_.real_dst = real_dst_.data() + row * args_.dst_row_stride;
    }
    kernel_.run(args_);
  }
}

std::vector<int8_t> run_dwconv_qs8(const DwconvQs8Kernel& kernel, const DwconvQs8Problem& problem) {
  PackedDwconvQs8 packed(kernel, problem);
  packed.run();
  return packed.dst();
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
