// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/random.h"
#include "kernels/base/workload.h"
#include "kernels/dequantize_qs16_f32/dequantize_qs16_f32.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<int16_t> src;
  std::vector<float> dst;
};

Workload make(size_t kernel, size_t shape) {
  const PictureShape& picture = kElementwiseShapes[shape];
  const size_t n = picture.elements();
  auto operands = std::make_shared<Operands>(Operands{Random(1).codes16(n), std::vector<float>(n)});
  return {picture.text(), 0, 6 * n, [operands, n, run = dequantize_qs16_f32_kernels()[kernel].run] {
            run(n, operands->src.data(), 0.0002f, 0, operands->dst.data());
          }};
}

}  // namespace

KernelWorkloads dequantize_qs16_f32_workloads() { return {std::size(kElementwiseShapes), make}; }

}  // namespace bitpose
