// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/overread.h"
#include "kernels/base/random.h"
#include "kernels/base/workload.h"
#include "kernels/row_sum_s8/row_sum_s8.h"

namespace bitpose {
namespace {

struct Shape {
  size_t m, kc;
};
constexpr Shape kShapes[] = {{196, 96}, {196, 512}};

struct Operands {
  std::vector<int8_t> a;
  std::vector<int32_t> dst;
  RowSumS8Args args;
};

Workload make(size_t kernel, size_t index) {
  const auto [m, kc] = kShapes[index];
  auto operands = std::make_shared<Operands>(
      Operands{Random(1).codes(m * kc + kOverread), std::vector<int32_t>(m), {}});
  RowSumS8Args& args = operands->args;
  args.m = m;
  args.ks = 1;
  args.kc = kc;
  args.a = operands->a.data();
  args.a_stride = kc;
  args.factor = -7;
  args.dst = operands->dst.data();
  return {std::to_string(m) + " rows of " + std::to_string(kc), 0, m * kc + 4 * m,
          [operands, run = row_sum_s8_kernels()[kernel].run] { run(operands->args); }};
}

}  // namespace

KernelWorkloads row_sum_s8_workloads() { return {std::size(kShapes), make}; }

}  // namespace bitpose
