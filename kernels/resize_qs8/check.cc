// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/compare.h"
#include "kernels/base/family.h"
#include "kernels/base/random_range.h"
#include "kernels/resize_qs8/resize_qs8.h"

namespace bitpose {
namespace {

struct Weights {
  float near, far;
};

/// Those of one axis: multiples of 1/8, any that sum to 1, or the pair of the last input.
Weights random_weights(Random& random) {
  if (random.chance(6)) return {0.5f, 0.5f};
  const float far =
      random.chance(2) ? static_cast<float>(random.integer(0, 8)) / 8.0f : random.real(0.0f, 1.0f);
  return {1.0f - far, far};
}

/// Often both the same, so that the result is an average of codes and halves abound.
void random_scales(Random& random, ResizeQs8Args& args) {
  args.x_scale = random.real(0.001f, 0.5f);
  args.y_scale = random.chance(3) ? args.x_scale * random.real(0.5f, 2.0f) : args.x_scale;
  if (random.chance(20)) args.x_scale = random.chance(2) ? 1e-42f : 3e38f;
  if (random.chance(20)) args.y_scale = random.chance(2) ? 1e-42f : 3e38f;
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
    if (&column != columns.data() && random.chance(2)) {
      column.left = (&column)[-1].left;
      column.right = (&column)[-1].right;
    }
    const Weights weights = random_weights(random);
    column.left_weight = weights.near;
    column.right_weight = weights.far;
  }
  args.top = rows.data() + (random.chance(2) ? row_elements : 0);
  args.bottom = rows.data() + (random.chance(4) ? 0 : row_elements);
  args.columns = columns.data();
  const Weights weights = random_weights(random);
  args.top_weight = weights.near;
  args.bottom_weight = weights.far;
  args.zero_point = static_cast<int32_t>(random.integer(-128, 127));
  random_scales(random, args);
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
