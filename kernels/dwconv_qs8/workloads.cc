// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/dwconv_workload.h"
#include "kernels/base/random.h"
#include "kernels/base/workload.h"
#include "kernels/dwconv_qs8/check.h"

namespace bitpose {
namespace {

/// Where the stride is 1 two rows are computed, which some kernels do at once.
Workload make(size_t kernel, size_t index) {
  const DwconvShape& shape = kDwconvShapes[index];
  const DwconvQs8Kernel& k = dwconv_qs8_kernels()[kernel];
  Random random(1);
  DwconvQs8Problem problem;
  problem.output_rows = shape.stride == 1 ? 2 : 1;
  const size_t rows = problem.output_rows + shape.size - 1;
  const size_t inputs = rows * shape.input_w() * shape.channels;
  const std::vector<int8_t> weights = random.codes(shape.size * shape.size * shape.channels, -127);
  const std::vector<int8_t> input = random.codes(inputs);
  const std::vector<int32_t> bias(shape.channels, 1000);
  const std::vector<float> multiplier(shape.channels, 1.0f / 512.0f);
  problem.layer = {shape.channels, shape.size,        shape.size, weights.data(),
                   bias.data(),    multiplier.data(), 3,          0};
  problem.stride_w = shape.stride;
  problem.input_w = shape.input_w();
  problem.output_w = shape.output_w;
  problem.input = input.data();
  problem.end_row = rows;
  const uint64_t macs = shape.macs() * problem.output_rows;
  const uint64_t bytes =
      inputs + weights.size() + problem.output_rows * shape.output_w * shape.channels;
  if (!eligible(k, prove_dwconv_qs8(problem.layer))) return {shape.text(), macs, bytes, {}};
  auto packed = std::make_shared<PackedDwconvQs8>(k, problem);
  return {shape.text(), macs, bytes, [packed] { packed->run(); }};
}

}  // namespace

KernelWorkloads dwconv_qs8_workloads() { return {std::size(kDwconvShapes), make}; }

}  // namespace bitpose
