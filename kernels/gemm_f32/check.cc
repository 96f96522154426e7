// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_f32/check.h"

#include <algorithm>

#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/reals.h"

namespace bitpose {
namespace {

/// Operands that a random problem points to.
struct Operands {
  std::vector<float> weights, a, bias;
};

GemmF32Problem random_problem(Random& random, Operands& operands) {
  GemmF32Problem problem;
  GemmF32Weights& layer = problem.layer;
  const auto kind = static_cast<Reals>(random.integer(0, 2));
  problem.m = static_cast<size_t>(random.integer(1, random.chance(2) ? 30 : 70));
  layer.n = static_cast<size_t>(random.integer(1, random.chance(2) ? 30 : 150));
  layer.ks = random.chance(2) ? 1 : static_cast<size_t>(random.integer(1, 9));
  layer.kc = static_cast<size_t>(random.integer(1, random.chance(2) ? 12 : 70));
  problem.indirect = random.chance(2);
  operands.weights = reals(random, layer.n * layer.ks * layer.kc, kind);
  operands.a = reals(random, problem.m * layer.ks * layer.kc, kind);
  operands.bias = reals(random, layer.n, kind);
  layer.weights = operands.weights.data();
  layer.bias = operands.bias.data();
  problem.a = operands.a.data();
  if (random.chance(2)) problem.fmin = random.chance(2) ? 0.0f : random.real(-2.0f, 0.0f);
  if (random.chance(2)) problem.fmax = random.chance(2) ? 0.0f : random.real(0.0f, 2.0f);
  return problem;
}

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  Operands operands;
  const GemmF32Problem problem = random_problem(random, operands);
  const GemmF32Kernel& portable = *plan_gemm_f32(isa::scalar, problem.layer.n).body;
  const std::string text =
      "m=" + std::to_string(problem.m) + " n=" + std::to_string(problem.layer.n) +
      " ks=" + std::to_string(problem.layer.ks) + " kc=" + std::to_string(problem.layer.kc) +
      (problem.indirect ? " indirect" : "");
  return first_difference<float>(text,
                                 canonical_nans(run_gemm_f32(gemm_f32_kernels()[index], problem)),
                                 canonical_nans(run_gemm_f32(portable, problem)));
}

}  // namespace

PackedGemmF32::PackedGemmF32(const GemmF32Kernel& kernel, const GemmF32Problem& problem)
    : kernel_(kernel), n_(problem.layer.n) {
  const GemmF32Weights& layer = problem.layer;
  const size_t row_step = problem.row_step != 0 ? problem.row_step : layer.ks * layer.kc;
  dst_.resize(problem.m * n_);
  args_.m = problem.m;
  args_.ks = layer.ks;
  args_.kc = layer.kc;
  args_.dst_stride = n_;
  args_.fmin = problem.fmin;
  args_.fmax = problem.fmax;
  if (layer.ks == 1 && !problem.indirect) {
    args_.a = problem.a;
    args_.a_stride = row_step;
  } else {
    for (size_t i = 0; i < problem.m; ++i) {
      const float* row = problem.a + i * row_step;
      for (size_t t = 0; t < layer.ks; ++t) taps_.push_back(row + t * layer.kc);
    }
    args_.indirection = taps_.data();
  }
  const size_t nr = kernel.nr;
  panel_floats_ = packed_panel_bytes(kernel.nr, layer.ks, layer.kc) / sizeof(float);
  panels_ = allocate_aligned<float>((n_ + nr - 1) / nr * panel_floats_);
  for (size_t column = 0; column < n_; column += nr) {
    pack_panel(kernel.nr, layer, column, panels_.get() + column / nr * panel_floats_);
  }
}

void PackedGemmF32::run() {
  const size_t nr = kernel_.nr;
  for (size_t column = 0; column < n_; column += nr) {
    args_.panel = panels_.get() + column / nr * panel_floats_;
    args_.n = std::min(nr, n_ - column);
    args_.dst = dst_.data() + column;
    kernel_.run(args_);
  }
}

std::vector<float> run_gemm_f32(const GemmF32Kernel& kernel, const GemmF32Problem& problem) {
  PackedGemmF32 packed(kernel, problem);
  packed.run();
  return packed.dst();
}

KernelFamily gemm_f32_family() {
  return {"gemm_f32", gemm_f32_kernels().size(),
          [](size_t index) {
            const GemmF32Kernel& kernel = gemm_f32_kernels()[index];
            return KernelInfo{kernel.name, kernel.isa};
          },
          compare};
}

}  // namespace bitpose
