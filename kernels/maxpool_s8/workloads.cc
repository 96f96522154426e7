// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/pool_workload.h"
#include "kernels/base/random.h"
#include "kernels/base/workload.h"
#include "kernels/maxpool_s8/maxpool_s8.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<int8_t> src, dst;
};

Workload make(size_t kernel, size_t shape) {
  const PoolShape& pool = kMaxPoolShapes[shape];
  Random random(1);
  auto operands = std::make_shared<Operands>(
      Operands{random.codes(pool.src_elements()), std::vector<int8_t>(pool.dst_elements())});
  return {pool.text(), 0, pool.src_elements() + pool.dst_elements(),
          [operands, window = pool.window(), run = maxpool_s8_kernels()[kernel].run] {
            run(window, operands->src.data(), operands->dst.data());
          }};
}

}  // namespace

KernelWorkloads maxpool_s8_workloads() { return {std::size(kMaxPoolShapes), make}; }

}  // namespace bitpose
