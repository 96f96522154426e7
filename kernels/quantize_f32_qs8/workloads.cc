// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/reals.h"
#include "kernels/base/workload.h"
#include "kernels/quantize_f32_qs8/quantize_f32_qs8.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<float> src;
  std::vector<int8_t> dst;
};

Workload make(size_t kernel, size_t shape) {
  const PictureShape& picture = kElementwiseShapes[shape];
  const size_t n = picture.elements();
  Random random(1);
  auto operands =
      std::make_shared<Operands>(Operands{reals(random, n, Reals::kPlain), std::vector<int8_t>(n)});
  return {picture.text(), 0, 5 * n, [operands, n, run = quantize_f32_qs8_kernels()[kernel].run] {
            run(n, operands->src.data(), 0.007f, {3, -128, 127}, operands->dst.data());
          }};
}

}  // namespace

KernelWorkloads quantize_f32_qs8_workloads() { return {std::size(kElementwiseShapes), make}; }

}  // namespace bitpose
