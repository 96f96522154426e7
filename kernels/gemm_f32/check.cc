// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_f32/check.h"

#include <algorithm>

#include "kernels/base/aligned.h"
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

std::vector<float> run_gemm_f32(const GemmF32Kernel& kernel, const GemmF32Problem& problem) {
  const GemmF32Weights& layer = problem.layer;
  std::vector<const float*> taps(problem.m * layer.ks);
  for (size_t i = 0; i < taps.size(); ++i) taps[i] = problem.a + i * layer.kc;
  const size_t panel_bytes = packed_panel_bytes(kernel.nr, layer.ks, layer.kc);
  const auto panel = allocate_aligned<float>(panel_bytes / sizeof(float));
  std::vector<float> dst(problem.m * layer.n);

  GemmF32Args args;
  args.m = problem.m;
  args.ks = layer.ks;
  args.kc = layer.kc;
  if (layer.ks == 1 && !problem.indirect) {
    args.a = problem.a;
    args.a_stride = layer.kc;
  } else {
    args.indirection = taps.data();
  }
  args.panel = panel.get();
  args.dst_stride = layer.n;
  args.fmin = problem.fmin;
  args.fmax = problem.fmax;
  for (size_t column = 0; column < layer.n; column += kernel.nr) {
    pack_panel(kernel.nr, layer, column, panel.get());
    args.n = std::min<size_t>(kernel.nr, layer.n - column);
    args.dst = dst.data() + column;
    kernel.run(args);
  }
  return dst;
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
