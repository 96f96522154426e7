// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/random.h"
#include "kernels/softmax_f32/softmax_f32.h"

namespace bitpose {
namespace {

/// Any bits, so NaN, infinities and subnormals too, or a number near the others.
float element(Random& random, bool finite) {
  const auto bits = static_cast<uint32_t>(random.next());
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  if (!finite && random.chance(200)) return value;
  if (!finite && random.chance(50)) return -std::numeric_limits<float>::infinity();
  return random.chance(4) ? random.real(-120.0f, 0.0f) : random.real(-8.0f, 8.0f);
}

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  const auto rows = static_cast<size_t>(random.integer(0, 5));
  const auto n = static_cast<size_t>(random.integer(0, random.chance(2) ? 40 : 300));
  const bool finite = random.chance(2);
  std::vector<float> src(rows * n);
  for (float& value : src) value = element(random, finite);
  std::vector<float> expected(src.size());
  select_softmax_f32(isa::scalar).run(rows, n, src.data(), expected.data());
  softmax_f32_kernels()[index].run(rows, n, src.data(), src.data());
  return first_difference<float>(
      "rows=" + std::to_string(rows) + " n=" + std::to_string(n) + " in place", src, expected);
}

}  // namespace

KernelFamily softmax_f32_family() {
  return {"softmax_f32", softmax_f32_kernels().size(),
          [](size_t index) {
            return KernelInfo{softmax_f32_kernels()[index].name, softmax_f32_kernels()[index].isa};
          },
          compare};
}

}  // namespace bitpose
