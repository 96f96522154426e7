// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/random_range.h"
#include "kernels/resize_qs8/resize_qs8.h"

namespace bitpose {
namespace {

int32_t random_weight(Random& random) {
  return static_cast<int32_t>(random.chance(4) ? random.integer(0, 1) * kResizeOne
                                               : random.integer(0, kResizeOne));
}

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  const int64_t width = random.integer(1, 9);
  ResizeQs8Args args;
  args.n = static_cast<size_t>(random.integer(0, 12));
  args.kc = static_cast<size_t>(random.integer(1, random.chance(2) ? 20 : 100));
  const size_t row_elements = static_cast<size_t>(width) * args.kc;
  const std::vector<int8_t> rows = random.codes(2 * row_elements);
  std::vector<ResizeQs8Column> columns(args.n);
  for (ResizeQs8Column& column : columns) {
    column.left =
        static_cast<uint32_t>(random.integer(0, width - 1)) * static_cast<uint32_t>(args.kc);
    column.right =
        static_cast<uint32_t>(random.integer(0, width - 1)) * static_cast<uint32_t>(args.kc);
    column.weight = random_weight(random);
  }
  args.top = rows.data() + (random.chance(2) ? row_elements : 0);
  args.bottom = rows.data() + (random.chance(4) ? 0 : row_elements);
  args.columns = columns.data();
  args.bottom_weight = random_weight(random);
  args.zero_point = static_cast<int32_t>(random.integer(-128, 127));
  args.multiplier = random.real(0.5f, 2.0f) * 0x1p-22f;
  if (random.chance(8)) args.multiplier = random.chance(2) ? 0x1p-140f : 0x1p120f;
  args.range = random_range(random);
  std::vector<int8_t> expected(args.n * args.kc);
  std::vector<int8_t> got(expected.size());
  args.dst = expected.data();
  select_resize_qs8(isa::scalar).run(args);
  args.dst = got.data();
  resize_qs8_kernels()[index].run(args);
  return first_difference<int8_t>("n=" + std::to_string(args.n) + " kc=" + std::to_string(args.kc),
                                  got, expected);
}

}  // namespace

KernelFamily resize_qs8_family() {
  return {"resize_qs8", resize_qs8_kernels().size(),
          [](size_t index) {
            return KernelInfo{resize_qs8_kernels()[index].name, resize_qs8_kernels()[index].isa};
          },
          compare};
}

}  // namespace bitpose
