// SPDX-License-Identifier: Apache-2.0
#include "kernels/igemm_qs16/check.h"

#include <algorithm>
#include <cstddef>

#include "kernels/base/aligned.h"
#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/overread.h"
#include "kernels/base/random_range.h"

namespace bitpose {
namespace {

/// Operands that a random problem points to.
struct Operands {
  std::vector<int8_t> weights;
  std::vector<int16_t> a;
  std::vector<int32_t> bias;
  std::vector<float> multiplier;
};

IgemmQs16Problem random_problem(Random& random, Operands& operands) {
  IgemmQs16Problem problem;
  IgemmQs8Weights& layer = problem.layer;
  problem.m = static_cast<size_t>(random.integer(1, random.chance(2) ? 15 : 40));
  layer.n = static_cast<size_t>(random.integer(1, random.chance(2) ? 40 : 150));
  layer.ks = random.chance(2) ? 1 : static_cast<size_t>(random.integer(1, 9));
  // Long enough, one time out of two, for sums that leave int32.
  layer.kc = static_cast<size_t>(random.integer(1, random.chance(2) ? 20 : 300));
  problem.indirect = random.chance(2);
  problem.narrow = random.chance(2);
  problem.range = problem.narrow ? random_range(random) : random_range16(random);
  const size_t k = layer.ks * layer.kc;
  operands.weights = random.codes(layer.n * k);
  operands.a = random.codes16(problem.m * k);
  if (random.chance(4)) {  // The largest sums there are.
    std::fill(operands.weights.begin(), operands.weights.end(), int8_t{-128});
    std::fill(operands.a.begin(), operands.a.end(), int16_t{-32768});
  }
  const float scale = (problem.narrow ? 1.0f : 256.0f) / (4e6f * static_cast<float>(k));
  const float factor = random.chance(8) ? 1e6f : scale;
  const int64_t largest = random.chance(4) ? kMaxBiasQs16 : 1 << 20;
  for (size_t j = 0; j < layer.n; ++j) {
    operands.bias.push_back(static_cast<int32_t>(random.integer(-largest, largest)));
    operands.multiplier.push_back(random.real(0.1f, 1.0f) * factor);
  }
  layer.weights = operands.weights.data();
  layer.bias = operands.bias.data();
  layer.multiplier = operands.multiplier.data();
  problem.a = operands.a.data();
  return problem;
}

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  Operands operands;
  const IgemmQs16Problem problem = random_problem(random, operands);
  const IgemmQs16Kernel& kernel = igemm_qs16_kernels()[index];
  const IgemmQs16Kernel& portable = select_igemm_qs16(isa::scalar, problem.layer.n);
  const std::string text =
      "m=" + std::to_string(problem.m) + " n=" + std::to_string(problem.layer.n) +
      " ks=" + std::to_string(problem.layer.ks) + " kc=" + std::to_string(problem.layer.kc) +
      (problem.indirect ? " indirect" : "") + (problem.narrow ? " narrow" : "") +
      " segment=" + std::to_string(segment_igemm_qs16(problem.layer, kernel.layout.kr));
  return first_difference<int16_t>(text, run_igemm_qs16(kernel, problem),
                                   run_igemm_qs16(portable, problem));
}

}  // namespace

std::vector<int16_t> run_igemm_qs16(const IgemmQs16Kernel& kernel,
                                    const IgemmQs16Problem& problem) {
  const IgemmQs8Weights& layer = problem.layer;
  const size_t k = layer.ks * layer.kc;
  std::vector<int16_t> a(problem.m * k + kOverread / sizeof(int16_t), int16_t{-7777});
  std::copy_n(problem.a, problem.m * k, a.begin());
  std::vector<const int16_t*> taps(problem.m * layer.ks);
  for (size_t i = 0; i < taps.size(); ++i) taps[i] = a.data() + i * layer.kc;
  const auto panel =
      allocate_aligned<std::byte>(packed_panel_bytes(kernel.layout, layer.ks, layer.kc));
  std::vector<int16_t> words(problem.narrow ? 0 : problem.m * layer.n);
  std::vector<int8_t> bytes(problem.narrow ? problem.m * layer.n : 0);

  IgemmQs16Args args;
  args.m = problem.m;
  args.ks = layer.ks;
  args.kc = layer.kc;
  args.segment = segment_igemm_qs16(layer, kernel.layout.kr);
  if (layer.ks == 1 && !problem.indirect) {
    args.a = a.data();
    args.a_stride = layer.kc;
  } else {
    args.indirection = taps.data();
  }
  args.panel = panel.get();
  args.narrow = problem.narrow;
  args.dst_stride = layer.n;
  args.range = problem.range;
  for (size_t column = 0; column < layer.n; column += kernel.layout.nr) {
    pack_panel(kernel.layout, layer, column, panel.get());
    args.n = std::min<size_t>(kernel.layout.nr, layer.n - column);
    args.dst = problem.narrow ? static_cast<void*>(bytes.data() + column) : words.data() + column;
    kernel.run(args);
  }
  return problem.narrow ? std::vector<int16_t>(bytes.begin(), bytes.end()) : words;
}

KernelFamily igemm_qs16_family() {
  return {"igemm_qs16", igemm_qs16_kernels().size(),
          [](size_t index) {
            const IgemmQs16Kernel& kernel = igemm_qs16_kernels()[index];
            return KernelInfo{kernel.name, kernel.isa};
          },
          compare};
}

}  // namespace bitpose
