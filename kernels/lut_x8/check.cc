// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/random.h"
#include "kernels/lut_x8/lut_x8.h"

namespace bitpose {
namespace {

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  const auto n = static_cast<size_t>(random.integer(0, random.chance(2) ? 70 : 1000));
  std::vector<uint8_t> src(n);
  std::vector<uint8_t> table(256);
  for (uint8_t& value : src) value = static_cast<uint8_t>(random.integer(0, 255));
  for (uint8_t& value : table) value = static_cast<uint8_t>(random.integer(0, 255));
  const LutX8Kernel& kernel = lut_x8_kernels()[index];
  if (kernel.needs_xor) {
    for (size_t q = 1; q < table.size(); ++q) table[q] = static_cast<uint8_t>(q ^ table[0]);
  }
  if (!eligible(kernel, prove_lut_x8(table.data()))) return "the table is not seen as an xor";
  std::vector<uint8_t> expected(n);
  select_lut_x8(isa::scalar).run(n, src.data(), table.data(), expected.data());
  kernel.run(n, src.data(), table.data(), src.data());
  return first_difference<uint8_t>("n=" + std::to_string(n) + " in place", src, expected);
}

}  // namespace

KernelFamily lut_x8_family() {
  return {"lut_x8", lut_x8_kernels().size(),
          [](size_t index) {
            return KernelInfo{lut_x8_kernels()[index].name, lut_x8_kernels()[index].isa};
          },
          compare};
}

}  // namespace bitpose
