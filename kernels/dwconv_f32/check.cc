// SPDX-License-Identifier: Apache-2.0
#include "kernels/dwconv_f32/check.h"

#include <algorithm>

#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/overread.h"
#include "kernels/base/reals.h"

namespace bitpose {
namespace {

/// Operands that a random problem points to.
struct Operands {
  std::vector<float> weights, input, bias;
};

DwconvF32Problem random_problem(Random& random, Operands& operands) {
  constexpr size_t kUsual[] = {1, 3, 3, 5, 7};
  DwconvF32Problem problem;
  const auto kind = static_cast<Reals>(random.integer(0, 2));
  problem.kernel_w =
      random.chance(4) ? static_cast<size_t>(random.integer(1, 8)) : kUsual[random.integer(0, 4)];
  problem.kernel_h =
      random.chance(4) ? static_cast<size_t>(random.integer(1, 8)) : problem.kernel_w;
  problem.stride_w = static_cast<size_t>(random.integer(1, random.chance(4) ? 3 : 2));
  problem.output_w = static_cast<size_t>(random.integer(1, 30));
  DwconvF32Weights& layer = problem.layer;
  layer.channels = static_cast<size_t>(random.integer(1, random.chance(2) ? 20 : 90));
  layer.taps = problem.kernel_h * problem.kernel_w;
  operands.weights = reals(random, layer.taps * layer.channels, kind);
  operands.input = reals(random, problem.kernel_h * problem.input_w() * layer.channels, kind);
  operands.bias = reals(random, layer.channels, kind);
  layer.weights = operands.weights.data();
  layer.bias = operands.bias.data();
  problem.input = operands.input.data();
  if (random.chance(2)) problem.fmin = random.chance(2) ? 0.0f : random.real(-2.0f, 0.0f);
  if (random.chance(2)) problem.fmax = random.chance(2) ? 0.0f : random.real(0.0f, 2.0f);
  return problem;
}

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  Operands operands;
  const DwconvF32Problem problem = random_problem(random, operands);
  const std::string text = "output_w=" + std::to_string(problem.output_w) +
                           " channels=" + std::to_string(problem.layer.channels) +
                           " kernel=" + std::to_string(problem.kernel_h) + "x" +
                           std::to_string(problem.kernel_w) +
                           " stride=" + std::to_string(problem.stride_w);
  return first_difference<float>(
      text, canonical_nans(run_dwconv_f32(dwconv_f32_kernels()[index], problem)),
      canonical_nans(run_dwconv_f32(select_dwconv_f32(isa::scalar), problem)));
}

}  // namespace

PackedDwconvF32::PackedDwconvF32(const DwconvF32Kernel& kernel, const DwconvF32Problem& problem)
    : kernel_(kernel) {
  const size_t channels = problem.layer.channels;
  const size_t pixels = problem.kernel_h * problem.input_w();
  input_.assign(pixels * channels + kOverread / sizeof(float), 1e38f);
  std::copy_n(problem.input, pixels * channels, input_.begin());
  for (size_t i = 0; i < pixels; ++i) columns_.push_back(input_.data() + i * channels);
  for (size_t ky = 0; ky < problem.kernel_h; ++ky) {
    lines_.push_back(columns_.data() + ky * problem.input_w());
  }
  packed_ = allocate_aligned<float>(packed_dwconv_bytes(kernel, problem.layer) / sizeof(float));
  pack_dwconv(kernel, problem.layer, packed_.get());
  dst_.resize(problem.output_w * channels);
  args_.output_w = problem.output_w;
  args_.channels = channels;
  args_.kernel_h = problem.kernel_h;
  args_.kernel_w = problem.kernel_w;
  args_.stride_w = problem.stride_w;
  args_.lines = lines_.data();
  args_.packed = packed_.get();
  args_.dst = dst_.data();
  args_.dst_stride = channels;
  args_.fmin = problem.fmin;
  args_.fmax = problem.fmax;
}

std::vector<float> run_dwconv_f32(const DwconvF32Kernel& kernel, const DwconvF32Problem& problem) {
  PackedDwconvF32 packed(kernel, problem);
  packed.run();
  return packed.dst();
}

KernelFamily dwconv_f32_family() {
  return {"dwconv_f32", dwconv_f32_kernels().size(),
          [](size_t index) {
            const DwconvF32Kernel& kernel = dwconv_f32_kernels()[index];
            return KernelInfo{kernel.name, kernel.isa};
          },
          compare};
}

}  // namespace bitpose
