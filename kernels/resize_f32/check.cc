// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/reals.h"
#include "kernels/resize_f32/resize_f32.h"

namespace bitpose {
namespace {

float random_weight(Random& random) {
  return random.chance(4) ? static_cast<float>(random.integer(0, 1)) : random.real(0.0f, 1.0f);
}

std::string compare(size_t index, uint64_t seed) {
  Random random(seed);
  const int64_t width = random.integer(1, 9);
  ResizeF32Args args;
  args.n = static_cast<size_t>(random.integer(0, 12));
  args.kc = static_cast<size_t>(random.integer(1, random.chance(2) ? 20 : 100));
  const size_t row_elements = static_cast<size_t>(width) * args.kc;
  const std::vector<float> rows =
      reals(random, 2 * row_elements, static_cast<Reals>(random.integer(0, 2)));
  std::vector<ResizeF32Column> columns(args.n);
  for (ResizeF32Column& column : columns) {
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
  std::vector<float> expected(args.n * args.kc);
  std::vector<float> got(expected.size());
  args.dst = expected.data();
  select_resize_f32(isa::scalar).run(args);
  args.dst = got.data();
  resize_f32_kernels()[index].run(args);
  return first_difference<float>("n=" + std::to_string(args.n) + " kc=" + std::to_string(args.kc),
                                 canonical_nans(got), canonical_nans(expected));
}

}  // namespace

KernelFamily resize_f32_family() {
  return {"resize_f32", resize_f32_kernels().size(),
          [](size_t index) {
            return KernelInfo{resize_f32_kernels()[index].name, resize_f32_kernels()[index].isa};
          },
          compare};
}

}  // namespace bitpose
