// SPDX-License-Identifier: Apache-2.0
#include "kernels/igemm_qs8/check.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/overread.h"
#include "kernels/base/random_range.h"

namespace bitpose {
namespace {

constexpr float kUnbounded = std::numeric_limits<float>::infinity();

size_t step(const IgemmQs8Problem& problem) {
  return problem.row_step != 0 ? problem.row_step : problem.layer.ks * problem.layer.kc;
}

std::vector<int32_t> row_biases(const IgemmQs8Problem& problem) {
  const size_t k = problem.layer.ks * problem.layer.kc;
  std::vector<int32_t> biases(problem.m);
  for (size_t i = 0; i < problem.m; ++i) {
    uint32_t sum = 0;
    for (size_t j = 0; j < k; ++j)
      sum += static_cast<uint32_t>(int32_t{problem.a[i * step(problem) + j]});
    biases[i] =
        static_cast<int32_t>(0u - static_cast<uint32_t>(problem.layer.weight_zero_point) * sum);
  }
  return biases;
}

/// Operands that a random problem points to.
struct Operands {
  std::vector<int8_t> weights, a;
  std::vector<int32_t> bias;
  std::vector<float> multiplier;
};

IgemmQs8Problem random_problem(Random& random, Operands& operands) {
  IgemmQs8Problem problem;
  IgemmQs8Weights& layer = problem.layer;
  problem.m = static_cast<size_t>(random.integer(1, random.chance(2) ? 30 : 70));
  layer.n = static_cast<size_t>(random.integer(1, random.chance(2) ? 40 : 200));
  layer.ks = random.chance(2) ? 1 : static_cast<size_t>(random.integer(1, 9));
  layer.kc = static_cast<size_t>(random.integer(1, random.chance(2) ? 20 : 150));
  problem.indirect = random.chance(2);
  const bool symmetric = random.chance(2);
  const size_t k = layer.ks * layer.kc;
  operands.weights = random.codes(layer.n * k, symmetric ? -127 : -128);
  operands.a = random.codes(problem.m * k);
  const float scale = random.chance(8) ? 1e6f : 1.0f / (64.0f * static_cast<float>(k));
  for (size_t j = 0; j < layer.n; ++j) {
    operands.bias.push_back(static_cast<int32_t>(random.integer(-40000, 40000)));
    operands.multiplier.push_back(random.real(0.1f, 1.0f) * scale);
  }
  layer.weights = operands.weights.data();
  layer.bias = operands.bias.data();
  layer.multiplier = operands.multiplier.data();
  layer.input_zero_point = static_cast<int32_t>(random.integer(-128, 127));
  layer.weight_zero_point =
      symmetric || random.chance(2) ? 0 : static_cast<int32_t>(random.integer(-128, 127));
  problem.a = operands.a.data();
  problem.range = random_range(random);
  problem.real = random.chance(2);
  problem.fmin = random.chance(2) ? -kUnbounded : random.real(-20.0f, 0.0f);
  problem.fmax = random.chance(2) ? kUnbounded : random.real(0.0f, 20.0f);
  return problem;
}

/// Whether both packers give the same panel, of a layer that may be wider than it.
std::string compare_packers(const PackLayout& layout, const IgemmQs8Weights& layer) {
  if (layer.ks != 1) return {};
  std::vector<int8_t> rows(layer.kc * layer.n);
  for (size_t j = 0; j < layer.n; ++j) {
    for (size_t k = 0; k < layer.kc; ++k) rows[k * layer.n + j] = layer.weights[j * layer.kc + k];
  }
  IgemmQs8Weights of_rows = layer;
  of_rows.weights = rows.data();
  std::vector<uint8_t> expected(packed_panel_bytes(layout, 1, layer.kc));
  std::vector<uint8_t> got(expected.size());
  pack_panel(layout, layer, 0, expected.data());
  pack_panel_of_rows(layout, of_rows, layer.n, got.data());
  return first_difference<uint8_t>(
      "panel of rows, n=" + std::to_string(layer.n) + " kc=" + std::to_string(layer.kc), got,
      expected);
}

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  Operands operands;
  const IgemmQs8Problem problem = random_problem(random, operands);
  const IgemmQs8Kernel& kernel = igemm_qs8_kernels()[index];
  std::string packers = compare_packers(kernel.layout, problem.layer);
  if (!packers.empty()) return packers;
  if (!eligible(kernel, prove_igemm_qs8(problem.layer))) return {};
  const IgemmQs8Kernel& portable = select_igemm_qs8(isa::scalar, {problem.layer.n, false, false});
  const std::string text =
      "m=" + std::to_string(problem.m) + " n=" + std::to_string(problem.layer.n) +
      " ks=" + std::to_string(problem.layer.ks) + " kc=" + std::to_string(problem.layer.kc) +
      (problem.indirect ? " indirect" : "");
  PackedIgemmQs8 got(kernel, problem);
  PackedIgemmQs8 expected(portable, problem);
  got.run();
  expected.run();
  return problem.real ? first_difference<float>(text + " real", got.real_dst(), expected.real_dst())
                      : first_difference<int8_t>(text, got.dst(), expected.dst());
}

}  // namespace

PackedIgemmQs8::PackedIgemmQs8(const IgemmQs8Kernel& kernel, const IgemmQs8Problem& problem)
    : kernel_(kernel), n_(problem.layer.n) {
  const IgemmQs8Weights& layer = problem.layer;
  const size_t row_step = step(problem);
  const size_t elements = (problem.m - 1) * row_step + layer.ks * layer.kc;
  a_.assign(elements + kOverread, int8_t{-77});
  std::copy_n(problem.a, elements, a_.begin());
  if (problem.real) {
    real_dst_.resize(problem.m * n_);
    args_.fmin = problem.fmin;
    args_.fmax = problem.fmax;
  } else {
    dst_.resize(problem.m * n_);
  }
  args_.m = problem.m;
  args_.ks = layer.ks;
  args_.kc = layer.kc;
  args_.dst_stride = n_;
  args_.range = problem.range;
  if (layer.ks == 1 && !problem.indirect) {
    args_.a = a_.data();
    args_.a_stride = row_step;
  } else {
    for (size_t i = 0; i < problem.m; ++i) {
      const int8_t* row = a_.data() + i * row_step;
      for (size_t t = 0; t < layer.ks; ++t) taps_.push_back(row + t * layer.kc);
    }
    args_.indirection = taps_.data();
  }
  if (layer.weight_zero_point != 0) {
    row_bias_ = row_biases(problem);
    args_.row_bias = row_bias_.data();
  }
  const size_t nr = kernel.layout.nr;
  panel_bytes_ = packed_panel_bytes(kernel.layout, layer.ks, layer.kc);
  panels_ = allocate_aligned<std::byte>((n_ + nr - 1) / nr * panel_bytes_);
  for (size_t column = 0; column < n_; column += nr) {
    pack_panel(kernel.layout, layer, column, panels_.get() + column / nr * panel_bytes_);
  }
}

void PackedIgemmQs8::run() {
  const size_t nr = kernel_.layout.nr;
  for (size_t column = 0; column < n_; column += nr) {
    args_.panel = panels_.get() + column / nr * panel_bytes_;
    args_.n = std::min(nr, n_ - column);
    if (real_dst_.empty()) {
      args_.dst = dst_.data() + column;
    } else {
      args_.real_dst = real_dst_.data() + column;
    }
    kernel_.run(args_);
  }
}

std::vector<int8_t> run_igemm_qs8(const IgemmQs8Kernel& kernel, const IgemmQs8Problem& problem) {
  PackedIgemmQs8 packed(kernel, problem);
  packed.run();
  return packed.dst();
}

KernelFamily igemm_qs8_family() {
  return {"igemm_qs8", igemm_qs8_kernels().size(),
          [](size_t index) {
            const IgemmQs8Kernel& kernel = igemm_qs8_kernels()[index];
            return KernelInfo{kernel.name, kernel.isa};
          },
          compare};
}

}  // namespace bitpose
