// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/random_range.h"
#include "kernels/base/reals.h"
#include "kernels/quantize_f32_qs16/quantize_f32_qs16.h"

namespace bitpose {
namespace {

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  const auto n = static_cast<size_t>(random.integer(0, random.chance(2) ? 70 : 600));
  const OutputRange range = random_range16(random);
  const float scale = random.chance(2) ? 0.25f : random.real(0.001f, 0.5f);
  std::vector<float> src = reals(random, n, static_cast<Reals>(random.integer(0, 2)));
  for (float& value : src) value *= 50000.0f * scale;
  // Ties: halves of the scale, exact where it is a power of two.
  for (float& value : src) {
    if (random.chance(4))
      value = (static_cast<float>(random.integer(-50000, 50000)) + 0.5f) * scale;
  }
  std::vector<int16_t> expected(n);
  std::vector<int16_t> got(n);
  select_quantize_f32_qs16(isa::scalar).run(n, src.data(), scale, range, expected.data());
  quantize_f32_qs16_kernels()[index].run(n, src.data(), scale, range, got.data());
  return first_difference<int16_t>("n=" + std::to_string(n), got, expected);
}

}  // namespace

KernelFamily quantize_f32_qs16_family() {
  return {"quantize_f32_qs16", quantize_f32_qs16_kernels().size(),
          [](size_t index) {
            const QuantizeF32Qs16Kernel& kernel = quantize_f32_qs16_kernels()[index];
            return KernelInfo{kernel.name, kernel.isa};
          },
          compare};
}

}  // namespace bitpose
