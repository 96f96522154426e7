// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/reals.h"
#include "kernels/base/workload.h"
#include "kernels/binary_f32/binary_f32.h"

namespace bitpose {
namespace {

struct Shape {
  const char* text;
  BinaryFunction function;
  bool b_advances;
  PictureShape picture;
};

constexpr Shape kShapes[] = {
    {"add ", BinaryFunction::kAdd, true, kElementwiseShapes[0]},
    {"add ", BinaryFunction::kAdd, true, kElementwiseShapes[1]},
    {"multiply by one number ", BinaryFunction::kMultiply, false, kElementwiseShapes[0]},
};

struct Operands {
  std::vector<float> a, b, dst;
};

Workload make(size_t kernel, size_t index) {
  const Shape& shape = kShapes[index];
  const size_t n = shape.picture.elements();
  Random random(1);
  auto operands = std::make_shared<Operands>(
      Operands{reals(random, n, Reals::kPlain),
               reals(random, shape.b_advances ? n : 1, Reals::kPlain), std::vector<float>(n)});
  const BinaryF32Row row{operands->a.data(), operands->b.data(), true, shape.b_advances};
  return {shape.text + shape.picture.text(), 0, sizeof(float) * n * (shape.b_advances ? 3 : 2),
          [operands, n, row, function = shape.function, run = binary_f32_kernels()[kernel].run] {
            run(function, n, row, operands->dst.data());
          }};
}

}  // namespace

KernelWorkloads binary_f32_workloads() { return {std::size(kShapes), make}; }

}  // namespace bitpose
