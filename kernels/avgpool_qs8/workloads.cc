// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/avgpool_qs8/avgpool_qs8.h"
#include "kernels/base/pool_workload.h"
#include "kernels/base/random.h"
#include "kernels/base/workload.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<int8_t> src, dst;
  AvgpoolQs8Args args;
};

Workload make(size_t kernel, size_t shape) {
  const PoolShape& pool = kAveragePoolShapes[shape];
  auto operands = std::make_shared<Operands>(
      Operands{Random(1).codes(pool.src_elements()), std::vector<int8_t>(pool.dst_elements()), {}});
  AvgpoolQs8Args& args = operands->args;
  args.window = pool.window();
  args.src = operands->src.data();
  args.dst = operands->dst.data();
  args.zero_point = 3;
  args.multiplier = 1.0f / static_cast<float>(pool.size * pool.size);
  return {pool.text(), 0, pool.src_elements() + pool.dst_elements(),
          [operands, run = avgpool_qs8_kernels()[kernel].run] { run(operands->args); }};
}

}  // namespace

KernelWorkloads avgpool_qs8_workloads() { return {std::size(kAveragePoolShapes), make}; }

}  // namespace bitpose
