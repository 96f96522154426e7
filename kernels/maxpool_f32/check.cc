// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/random_pool.h"
#include "kernels/base/reals.h"
#include "kernels/maxpool_f32/maxpool_f32.h"

namespace bitpose {
namespace {

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  const RandomPool pool = random_pool(random, 300);
  const std::vector<float> src =
      reals(random, pool.src_elements, static_cast<Reals>(random.integer(0, 2)));
  std::vector<float> expected(pool.dst_elements);
  std::vector<float> got(pool.dst_elements);
  select_maxpool_f32(isa::scalar).run(pool.window, src.data(), expected.data());
  maxpool_f32_kernels()[index].run(pool.window, src.data(), got.data());
  return first_difference<float>(pool.text(), got, expected);
}

}  // namespace

KernelFamily maxpool_f32_family() {
  return {"maxpool_f32", maxpool_f32_kernels().size(),
          [](size_t index) {
            return KernelInfo{maxpool_f32_kernels()[index].name, maxpool_f32_kernels()[index].isa};
          },
          compare};
}

}  // namespace bitpose
