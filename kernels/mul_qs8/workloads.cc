// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/random.h"
#include "kernels/base/workload.h"
#include "kernels/mul_qs8/mul_qs8.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<int8_t> a, b, dst;
  MulQs8Args args;
};

Workload make(size_t kernel, size_t shape) {
  const PictureShape& picture = kElementwiseShapes[shape];
  const size_t n = picture.elements();
  Random random(1);
  auto operands = std::make_shared<Operands>(
      Operands{random.codes(n), random.codes(n), std::vector<int8_t>(n), {}});
  MulQs8Args& args = operands->args;
  args.n = n;
  args.a = operands->a.data();
  args.b = operands->b.data();
  args.dst = operands->dst.data();
  args.a_zero_point = 3;
  args.b_zero_point = -9;
  args.multiplier = 0x1p-7f;
  return {picture.text(), 0, 3 * n,
          [operands, run = mul_qs8_kernels()[kernel].run] { run(operands->args); }};
}

}  // namespace

KernelWorkloads mul_qs8_workloads() { return {std::size(kElementwiseShapes), make}; }

}  // namespace bitpose
