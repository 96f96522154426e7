// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/gemm_workload.h"
#include "kernels/base/reals.h"
#include "kernels/base/workload.h"
#include "kernels/gemm_f32/check.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<float> a;
  PackedGemmF32 packed;
};

Workload make(size_t kernel, size_t index) {
  const GemmShape& shape = kGemmShapes[index];
  Random random(1);
  const std::vector<float> weights = reals(random, shape.weights(), Reals::kPlain);
  const std::vector<float> bias = reals(random, shape.n, Reals::kPlain);
  std::vector<float> a = reals(random, shape.activations(), Reals::kPlain);
  GemmF32Problem problem;
  problem.m = shape.m;
  problem.layer = {shape.n, shape.ks, shape.kc, weights.data(), bias.data()};
  problem.a = a.data();
  problem.row_step = shape.kc;
  PackedGemmF32 packed(gemm_f32_kernels()[kernel], problem);
  auto operands = std::make_shared<Operands>(Operands{std::move(a), std::move(packed)});
  const uint64_t bytes =
      sizeof(float) * (shape.activations() + shape.weights() + shape.m * shape.n);
  return {shape.text(), shape.macs(), bytes, [operands] { operands->packed.run(); }};
}

}  // namespace

KernelWorkloads gemm_f32_workloads() { return {std::size(kGemmShapes), make}; }

}  // namespace bitpose
