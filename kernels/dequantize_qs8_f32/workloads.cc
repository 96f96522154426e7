// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/random.h"
#include "kernels/base/workload.h"
#include "kernels/dequantize_qs8_f32/dequantize_qs8_f32.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<int8_t> src;
  std::vector<float> dst;
};

Workload make(size_t kernel, size_t shape) {
  const PictureShape& picture = kElementwiseShapes[shape];
  const size_t n = picture.elements();
  auto operands = std::make_shared<Operands>(Operands{Random(1).codes(n), std::vector<float>(n)});
  return {picture.text(), 0, 5 * n, [operands, n, run = dequantize_qs8_f32_kernels()[kernel].run] {
            run(n, operands->src.data(), 0.05f, 3, operands->dst.data());
          }};
}

}  // namespace

KernelWorkloads dequantize_qs8_f32_workloads() { return {std::size(kElementwiseShapes), make}; }

}  // namespace bitpose
