// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/reals.h"
#include "kernels/base/workload.h"
#include "kernels/quantize_f32_qs16/quantize_f32_qs16.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<float> src;
  std::vector<int16_t> dst;
};

Workload make(size_t kernel, size_t shape) {
  const PictureShape& picture = kElementwiseShapes[shape];
  const size_t n = picture.elements();
  Random random(1);
  auto operands = std::make_shared<Operands>(
      Operands{reals(random, n, Reals::kPlain), std::vector<int16_t>(n)});
  return {picture.text(), 0, 6 * n, [operands, n, run = quantize_f32_qs16_kernels()[kernel].run] {
            run(n, operands->src.data(), 0.00004f, {0, -32768, 32767}, operands->dst.data());
          }};
}

}  // namespace

KernelWorkloads quantize_f32_qs16_workloads() { return {std::size(kElementwiseShapes), make}; }

}  // namespace bitpose
