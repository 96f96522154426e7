// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <vector>

#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/random.h"
#include "kernels/binary_f32/binary_f32.h"

namespace bitpose {
namespace {

float element(Random& random) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kExtremes[] = {0.0f, -0.0f, kInfinity, -kInfinity,
                                 std::numeric_limits<float>::quiet_NaN()};
  if (random.chance(8)) return kExtremes[random.integer(0, 4)];
  return random.chance(4) ? static_cast<float>(random.integer(-4, 4)) : random.real(-8.0f, 8.0f);
}

std::vector<float> elements(Random& random, size_t n) {
  std::vector<float> values(n);
  for (float& value : values) value = element(random);
  return values;
}

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  const auto function = static_cast<BinaryFunction>(random.integer(0, kBinaryFunctions - 1));
  const auto n = static_cast<size_t>(random.integer(1, 70));
  const bool a_advances = !random.chance(3);
  const bool b_advances = !random.chance(3);
  std::vector<float> a = elements(random, n);
  const std::vector<float> b = elements(random, n);
  const BinaryF32Row row{a.data(), b.data(), a_advances, b_advances};
  std::vector<float> expected(n);
  select_binary_f32(isa::scalar).run(function, n, row, expected.data());
  std::vector<float> separate(n);
  float* dst = a_advances ? a.data() : separate.data();
  binary_f32_kernels()[index].run(function, n, row, dst);
  std::vector<float> got(dst, dst + n);
  for (std::vector<float>* values : {&expected, &got}) {
    for (float& value : *values) {
      if (value != value) value = std::numeric_limits<float>::quiet_NaN();
    }
  }
  return first_difference<float>(
      "function=" + std::to_string(static_cast<uint32_t>(function)) + " n=" + std::to_string(n) +
          " a advances=" + std::to_string(a_advances) + " b advances=" + std::to_string(b_advances),
      got, expected);
}

}  // namespace

KernelFamily binary_f32_family() {
  return {"binary_f32", binary_f32_kernels().size(),
          [](size_t index) {
            return KernelInfo{binary_f32_kernels()[index].name, binary_f32_kernels()[index].isa};
          },
          compare};
}

}  // namespace bitpose
