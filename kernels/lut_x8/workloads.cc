// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/random.h"
#include "kernels/base/workload.h"
#include "kernels/lut_x8/lut_x8.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<uint8_t> src, table, dst;
};

/// A table of random bytes, or that of uint8 codes to int8 for a kernel that only has such.
Workload make(size_t kernel, size_t shape) {
  const PictureShape& picture = kElementwiseShapes[shape];
  const LutX8Kernel& k = lut_x8_kernels()[kernel];
  const size_t n = picture.elements();
  Random random(1);
  const auto byte = [&] { return static_cast<uint8_t>(random.integer(0, 255)); };
  auto operands = std::make_shared<Operands>();
  for (size_t i = 0; i < n; ++i) operands->src.push_back(byte());
  for (size_t q = 0; q < 256; ++q) {
    operands->table.push_back(k.needs_xor ? static_cast<uint8_t>(q ^ 128) : byte());
  }
  operands->dst.resize(n);
  return {picture.text(), 0, 2 * n, [operands, n, run = k.run] {
            run(n, operands->src.data(), operands->table.data(), operands->dst.data());
          }};
}

}  // namespace

KernelWorkloads lut_x8_workloads() { return {std::size(kElementwiseShapes), make}; }

}  // namespace bitpose
