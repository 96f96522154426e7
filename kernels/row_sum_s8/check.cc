// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/overread.h"
#include "kernels/base/random.h"
#include "kernels/row_sum_s8/row_sum_s8.h"

namespace bitpose {
namespace {

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  RowSumS8Args args;
  args.m = static_cast<size_t>(random.integer(1, 20));
  args.kc = static_cast<size_t>(random.integer(1, random.chance(2) ? 40 : 1500));
  const bool indirect = random.chance(2);
  args.ks = indirect ? static_cast<size_t>(random.integer(1, 9)) : 1;
  args.factor = static_cast<int32_t>(random.integer(-255, 255));
  std::vector<int8_t> a = random.codes(args.m * args.ks * args.kc + kOverread);
  std::vector<const int8_t*> taps(args.m * args.ks);
  for (size_t i = 0; i < taps.size(); ++i) taps[i] = a.data() + i * args.kc;
  args.a = a.data();
  args.a_stride = args.kc;
  if (indirect) args.indirection = taps.data();
  std::vector<int32_t> expected(args.m);
  std::vector<int32_t> got(args.m);
  args.dst = expected.data();
  select_row_sum_s8(isa::scalar).run(args);
  args.dst = got.data();
  row_sum_s8_kernels()[index].run(args);
  return first_difference<int32_t>("m=" + std::to_string(args.m) + " ks=" +
                                       std::to_string(args.ks) + " kc=" + std::to_string(args.kc),
                                   got, expected);
}

}  // namespace

KernelFamily row_sum_s8_family() {
  return {"row_sum_s8", row_sum_s8_kernels().size(),
          [](size_t index) {
            const RowSumS8Kernel& kernel = row_sum_s8_kernels()[index];
            return KernelInfo{kernel.name, kernel.isa};
          },
          compare};
}

}  // namespace bitpose
