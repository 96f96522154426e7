// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/avgpool_f32/avgpool_f32.h"
#include "kernels/base/pool_workload.h"
#include "kernels/base/reals.h"
#include "kernels/base/workload.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<float> src, dst;
};

Workload make(size_t kernel, size_t shape) {
  const PoolShape& pool = kAveragePoolShapes[shape];
  Random random(1);
  auto operands = std::make_shared<Operands>(Operands{
      reals(random, pool.src_elements(), Reals::kPlain), std::vector<float>(pool.dst_elements())});
  return {pool.text(), 0, sizeof(float) * (pool.src_elements() + pool.dst_elements()),
          [operands, window = pool.window(), count = static_cast<float>(pool.size * pool.size),
           run = avgpool_f32_kernels()[kernel].run] {
            run(window, operands->src.data(), count, operands->dst.data());
          }};
}

}  // namespace

KernelWorkloads avgpool_f32_workloads() { return {std::size(kAveragePoolShapes), make}; }

}  // namespace bitpose
