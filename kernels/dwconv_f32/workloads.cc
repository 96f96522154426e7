// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/dwconv_workload.h"
#include "kernels/base/reals.h"
#include "kernels/base/workload.h"
#include "kernels/dwconv_f32/check.h"

namespace bitpose {
namespace {

Workload make(size_t kernel, size_t index) {
  const DwconvShape& shape = kDwconvShapes[index];
  Random random(1);
  const size_t taps = shape.size * shape.size;
  const size_t inputs = shape.size * shape.input_w() * shape.channels;
  const std::vector<float> weights = reals(random, taps * shape.channels, Reals::kPlain);
  const std::vector<float> bias = reals(random, shape.channels, Reals::kPlain);
  const std::vector<float> input = reals(random, inputs, Reals::kPlain);
  DwconvF32Problem problem;
  problem.layer = {shape.channels, taps, weights.data(), bias.data()};
  problem.kernel_h = shape.size;
  problem.kernel_w = shape.size;
  problem.stride_w = shape.stride;
  problem.output_w = shape.output_w;
  problem.input = input.data();
  auto packed = std::make_shared<PackedDwconvF32>(dwconv_f32_kernels()[kernel], problem);
  const uint64_t bytes =
      sizeof(float) * (inputs + weights.size() + shape.output_w * shape.channels);
  return {shape.text(), shape.macs(), bytes, [packed] { packed->run(); }};
}

}  // namespace

KernelWorkloads dwconv_f32_workloads() { return {std::size(kDwconvShapes), make}; }

}  // namespace bitpose
