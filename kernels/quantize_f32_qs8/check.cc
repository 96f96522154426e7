// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/random_range.h"
#include "kernels/base/reals.h"
#include "kernels/quantize_f32_qs8/quantize_f32_qs8.h"

namespace bitpose {
namespace {

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  const auto n = static_cast<size_t>(random.integer(0, random.chance(2) ? 70 : 600));
  const OutputRange range = random_range(random);
  const float scale = random.chance(2) ? 0.25f : random.real(0.001f, 0.5f);
  std::vector<float> src = reals(random, n, static_cast<Reals>(random.integer(0, 2)));
  for (float& value : src) value *= 200.0f * scale;
  // Ties: halves of the scale, exact where it is a power of two.
  for (float& value : src) {
    if (random.chance(4)) value = (static_cast<float>(random.integer(-200, 200)) + 0.5f) * scale;
  }
  std::vector<int8_t> expected(n);
  std::vector<int8_t> got(n);
  select_quantize_f32_qs8(isa::scalar).run(n, src.data(), scale, range, expected.data());
  quantize_f32_qs8_kernels()[index].run(n, src.data(), scale, range, got.data());
  return first_difference<int8_t>("n=" + std::to_string(n), got, expected);
}

}  // namespace

KernelFamily quantize_f32_qs8_family() {
  return {"quantize_f32_qs8", quantize_f32_qs8_kernels().size(),
          [](size_t index) {
            const QuantizeF32Qs8Kernel& kernel = quantize_f32_qs8_kernels()[index];
            return KernelInfo{kernel.name, kernel.isa};
          },
          compare};
}

}  // namespace bitpose
