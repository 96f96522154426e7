// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/random.h"
#include "kernels/unary_f32/unary_f32.h"

namespace bitpose {
namespace {

/// Any bits, so NaN, infinities and subnormals too, or a number near the others.
float element(Random& random) {
  if (random.chance(16)) {
    const auto bits = static_cast<uint32_t>(random.next());
    float value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }
  return random.chance(4) ? random.real(-120.0f, 120.0f) : random.real(-8.0f, 8.0f);
}

/// The same NaN for every NaN.
void canonicalize(std::vector<float>& values) {
  for (float& value : values) {
    if (value != value) value = std::numeric_limits<float>::quiet_NaN();
  }
}

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  const int64_t place = random.integer(0, kUnaryFunctions - 1);
  const auto function = static_cast<UnaryFunction>(place);
  const float alpha = random.real(-2.0f, 2.0f);
  const float beta = random.real(-2.0f, 2.0f);
  std::vector<float> src(static_cast<size_t>(random.integer(0, 100)));
  for (float& value : src) value = element(random);
  std::vector<float> expected(src.size());
  const size_t n = src.size();
  select_unary_f32(isa::scalar).run(function, alpha, beta, n, src.data(), expected.data());
  unary_f32_kernels()[index].run(function, alpha, beta, n, src.data(), src.data());
  canonicalize(expected);
  canonicalize(src);
  return first_difference<float>(
      std::string(kUnaryFunctionNames[place]) + " alpha=" + std::to_string(alpha) +
          " beta=" + std::to_string(beta) + " n=" + std::to_string(n) + " in place",
      src, expected);
}

}  // namespace

KernelFamily unary_f32_family() {
  return {"unary_f32", unary_f32_kernels().size(),
          [](size_t index) {
            return KernelInfo{unary_f32_kernels()[index].name, unary_f32_kernels()[index].isa};
          },
          compare};
}

}  // namespace bitpose
