// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "kernels/add_qs8/add_qs8.h"
#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/random_range.h"

namespace bitpose {
namespace {

AddQs8Args random_args(Random& random) {
  AddQs8Args args;
  args.n = static_cast<size_t>(random.integer(0, random.chance(2) ? 70 : 600));
  args.b_is_scalar = random.chance(3);
  const int64_t most = random.chance(2) ? 32767 : 300;
  args.a_multiplier = static_cast<int16_t>(random.integer(-most, most));
  args.b_multiplier = static_cast<int16_t>(random.integer(-most, most));
  args.bias = static_cast<int32_t>(random.chance(8) ? random.integer(INT32_MIN, INT32_MAX)
                                                    : random.integer(-most * 128, most * 128));
  args.multiplier = random.real(0.5f, 2.0f) / static_cast<float>(most);
  if (random.chance(8)) args.multiplier = random.chance(2) ? 0x1p-140f : 0x1p120f;
  args.range = random_range(random);
  return args;
}

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  AddQs8Args args = random_args(random);
  std::vector<int8_t> a = random.codes(args.n);
  std::vector<int8_t> b = random.codes(args.b_is_scalar ? 1 : args.n);
  std::vector<int8_t> expected(args.n);
  args.a = a.data();
  args.b = b.data();
  args.dst = expected.data();
  select_add_qs8(isa::scalar).run(args);
  std::vector<int8_t>& dst = args.b_is_scalar || random.chance(2) ? a : b;
  args.dst = dst.data();
  add_qs8_kernels()[index].run(args);
  const std::string text = "n=" + std::to_string(args.n) + (args.b_is_scalar ? " scalar b" : "") +
                           (&dst == &a ? " into a" : " into b");
  return first_difference<int8_t>(text, dst, expected);
}

}  // namespace

KernelFamily add_qs8_family() {
  return {"add_qs8", add_qs8_kernels().size(),
          [](size_t index) {
            return KernelInfo{add_qs8_kernels()[index].name, add_qs8_kernels()[index].isa};
          },
          compare};
}

}  // namespace bitpose
