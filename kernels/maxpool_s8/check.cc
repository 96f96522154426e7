// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/random_pool.h"
#include "kernels/maxpool_s8/maxpool_s8.h"

namespace bitpose {
namespace {

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  const RandomPool pool = random_pool(random, 300);
  const std::vector<int8_t> src = random.codes(pool.src_elements);
  std::vector<int8_t> expected(pool.dst_elements);
  std::vector<int8_t> got(pool.dst_elements);
  select_maxpool_s8(isa::scalar).run(pool.window, src.data(), expected.data());
  maxpool_s8_kernels()[index].run(pool.window, src.data(), got.data());
  return first_difference<int8_t>(pool.text(), got, expected);
}

}  // namespace

KernelFamily maxpool_s8_family() {
  return {"maxpool_s8", maxpool_s8_kernels().size(),
          [](size_t index) {
            return KernelInfo{maxpool_s8_kernels()[index].name, maxpool_s8_kernels()[index].isa};
          },
          compare};
}

}  // namespace bitpose
