// SPDX-License-Identifier: Apache-2.0
#include "kernels/avgpool_qs8/avgpool_qs8.h"
#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/random_pool.h"
#include "kernels/base/random_range.h"

namespace bitpose {
namespace {

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  const RandomPool pool = random_pool(random, 1000);
  // All codes at one end, so that sums come close to the limits of int16.
  const bool extreme = random.chance(4);
  const int end = random.chance(2) ? -128 : 127;
  const std::vector<int8_t> src =
      random.codes(pool.src_elements, extreme ? end : -128, extreme ? end : 127);
  std::vector<int8_t> expected(pool.dst_elements);
  std::vector<int8_t> got(pool.dst_elements);
  AvgpoolQs8Args args;
  args.window = pool.window;
  args.src = src.data();
  args.dst = expected.data();
  args.zero_point = static_cast<int32_t>(random.integer(-128, 127));
  args.multiplier = random.real(0.5f, 2.0f) / static_cast<float>(pool.window.taps());
  if (random.chance(8)) args.multiplier = random.chance(2) ? 0x1p-140f : 0x1p120f;
  args.range = random_range(random);
  select_avgpool_qs8(isa::scalar).run(args);
  args.dst = got.data();
  avgpool_qs8_kernels()[index].run(args);
  return first_difference<int8_t>(pool.text(), got, expected);
}

}  // namespace

KernelFamily avgpool_qs8_family() {
  return {"avgpool_qs8", avgpool_qs8_kernels().size(),
          [](size_t index) {
            return KernelInfo{avgpool_qs8_kernels()[index].name, avgpool_qs8_kernels()[index].isa};
          },
          compare};
}

}  // namespace bitpose
