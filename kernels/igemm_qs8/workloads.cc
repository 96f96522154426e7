// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/gemm_workload.h"
#include "kernels/base/random.h"
#include "kernels/base/workload.h"
#include "kernels/igemm_qs8/check.h"

namespace bitpose {
namespace {

Workload make(size_t kernel, size_t index) {
  const GemmShape& shape = kGemmShapes[index];
  const IgemmQs8Kernel& k = igemm_qs8_kernels()[kernel];
  Random random(1);
  const std::vector<int8_t> weights = random.codes(shape.weights(), -127);
  const std::vector<int8_t> a = random.codes(shape.activations());
  const std::vector<int32_t> bias(shape.n, 1000);
  const std::vector<float> multiplier(shape.n, 1.0f / (64.0f * static_cast<float>(shape.kc)));
  IgemmQs8Problem problem;
  problem.m = shape.m;
  problem.layer = {shape.n,     shape.ks,          shape.kc, weights.data(),
                   bias.data(), multiplier.data(), 3,        0};
  problem.a = a.data();
  problem.row_step = shape.kc;
  const uint64_t bytes = shape.activations() + shape.weights() + shape.m * shape.n;
  if (!eligible(k, prove_igemm_qs8(problem.layer))) return {shape.text(), shape.macs(), bytes, {}};
  auto packed = std::make_shared<PackedIgemmQs8>(k, problem);
  return {shape.text(), shape.macs(), bytes, [packed] { packed->run(); }};
}

}  // namespace

KernelWorkloads igemm_qs8_workloads() { return {std::size(kGemmShapes), make}; }

}  // namespace bitpose
