// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/add_qs8/add_qs8.h"
#include "kernels/base/random.h"
#include "kernels/base/workload.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<int8_t> a, b, dst;
  AddQs8Args args;
};

Workload make(size_t kernel, size_t shape) {
  const PictureShape& picture = kElementwiseShapes[shape];
  const size_t n = picture.elements();
  Random random(1);
  auto operands = std::make_shared<Operands>(
      Operands{random.codes(n), random.codes(n), std::vector<int8_t>(n), {}});
  AddQs8Args& args = operands->args;
  args.n = n;
  args.a = operands->a.data();
  args.b = operands->b.data();
  args.dst = operands->dst.data();
  args.a_multiplier = 181;
  args.b_multiplier = 127;
  args.bias = -181 * 3 + 127 * 9;
  args.multiplier = 0x1p-8f;
  return {picture.text(), 0, 3 * n,
          [operands, run = add_qs8_kernels()[kernel].run] { run(operands->args); }};
}

}  // namespace

KernelWorkloads add_qs8_workloads() { return {std::size(kElementwiseShapes), make}; }

}  // namespace bitpose
