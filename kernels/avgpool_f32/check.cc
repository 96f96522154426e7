// SPDX-License-Identifier: Apache-2.0
#include "kernels/avgpool_f32/avgpool_f32.h"
#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/random_pool.h"
#include "kernels/base/reals.h"

namespace bitpose {
namespace {

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  const RandomPool pool = random_pool(random, 300);
  const std::vector<float> src =
      reals(random, pool.src_elements, static_cast<Reals>(random.integer(0, 2)));
  const auto count = static_cast<float>(pool.window.taps() + (random.chance(2) ? 3 : 0));
  std::vector<float> expected(pool.dst_elements);
  std::vector<float> got(pool.dst_elements);
  select_avgpool_f32(isa::scalar).run(pool.window, src.data(), count, expected.data());
  avgpool_f32_kernels()[index].run(pool.window, src.data(), count, got.data());
  return first_difference<float>(pool.text(), canonical_nans(got), canonical_nans(expected));
}

}  // namespace

KernelFamily avgpool_f32_family() {
  return {"avgpool_f32", avgpool_f32_kernels().size(),
          [](size_t index) {
            return KernelInfo{avgpool_f32_kernels()[index].name, avgpool_f32_kernels()[index].isa};
          },
          compare};
}

}  // namespace bitpose
