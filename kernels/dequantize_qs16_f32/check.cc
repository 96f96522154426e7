// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/random.h"
#include "kernels/dequantize_qs16_f32/dequantize_qs16_f32.h"

namespace bitpose {
namespace {

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  const auto n = static_cast<size_t>(random.integer(0, random.chance(2) ? 70 : 600));
  const auto zero_point = static_cast<int32_t>(random.integer(-32768, 32767));
  const float scale = random.chance(8) ? 0x1p-145f : random.real(0.001f, 0.5f);
  const std::vector<int16_t> src = random.codes16(n);
  std::vector<float> expected(n);
  std::vector<float> got(n);
  select_dequantize_qs16_f32(isa::scalar).run(n, src.data(), scale, zero_point, expected.data());
  dequantize_qs16_f32_kernels()[index].run(n, src.data(), scale, zero_point, got.data());
  return first_difference<float>("n=" + std::to_string(n), got, expected);
}

}  // namespace

KernelFamily dequantize_qs16_f32_family() {
  return {"dequantize_qs16_f32", dequantize_qs16_f32_kernels().size(),
          [](size_t index) {
            const DequantizeQs16F32Kernel& kernel = dequantize_qs16_f32_kernels()[index];
            return KernelInfo{kernel.name, kernel.isa};
          },
          compare};
}

}  // namespace bitpose
