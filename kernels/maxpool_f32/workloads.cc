// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/pool_workload.h"
#include "kernels/base/reals.h"
#include "kernels/base/workload.h"
#include "kernels/maxpool_f32/maxpool_f32.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<float> src, dst;
};

Workload make(size_t kernel, size_t shape) {
  const PoolShape& pool = kMaxPoolShapes[shape];
  Random random(1);
  auto operands = std::make_shared<Operands>(Operands{
      reals(random, pool.src_elements(), Reals::kPlain), std::vector<float>(pool.dst_elements())});
  return {pool.text(), 0, sizeof(float) * (pool.src_elements() + pool.dst_elements()),
          [operands, window = pool.window(), run = maxpool_f32_kernels()[kernel].run] {
            run(window, operands->src.data(), operands->dst.data());
          }};
}

}  // namespace

KernelWorkloads maxpool_f32_workloads() { return {std::size(kMaxPoolShapes), make}; }

}  // namespace bitpose
