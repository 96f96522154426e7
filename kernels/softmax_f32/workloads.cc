// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/reals.h"
#include "kernels/base/workload.h"
#include "kernels/softmax_f32/softmax_f32.h"

namespace bitpose {
namespace {

/// A classifier's result, a segmentation's and attention's.
struct Shape {
  size_t rows, n;
};
constexpr Shape kShapes[] = {{1, 1000}, {65 * 65, 21}, {197, 197}};

struct Operands {
  std::vector<float> src, dst;
};

Workload make(size_t kernel, size_t index) {
  const auto [rows, n] = kShapes[index];
  Random random(1);
  auto operands = std::make_shared<Operands>(
      Operands{reals(random, rows * n, Reals::kPlain), std::vector<float>(rows * n)});
  return {std::to_string(rows) + "x" + std::to_string(n), 0, 2 * sizeof(float) * rows * n,
          [operands, rows, n, run = softmax_f32_kernels()[kernel].run] {
            run(rows, n, operands->src.data(), operands->dst.data());
          }};
}

}  // namespace

KernelWorkloads softmax_f32_workloads() { return {std::size(kShapes), make}; }

}  // namespace bitpose
