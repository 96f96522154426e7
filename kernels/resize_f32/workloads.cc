// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/reals.h"
#include "kernels/base/resize_workload.h"
#include "kernels/base/workload.h"
#include "kernels/resize_f32/resize_f32.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<float> rows, dst;
  std::vector<ResizeF32Column> columns;
  ResizeF32Args args;
};

Workload make(size_t kernel, size_t shape) {
  const ResizeShape& resize = kResizeShapes[shape];
  Random random(1);
  auto operands = std::make_shared<Operands>();
  operands->rows = reals(random, 2 * resize.row_elements(), Reals::kPlain);
  operands->dst.resize(resize.dst_elements());
  for (size_t x = 0; x < resize.columns; ++x) {
    operands->columns.push_back({resize.left(x), resize.right(x), resize.weight(x)});
  }
  ResizeF32Args& args = operands->args;
  args.n = resize.columns;
  args.kc = resize.channels;
  args.top = operands->rows.data();
  args.bottom = args.top + resize.row_elements();
  args.columns = operands->columns.data();
  args.bottom_weight = 0.25f;
  args.dst = operands->dst.data();
  return {resize.text(), 0, sizeof(float) * (operands->rows.size() + operands->dst.size()),
          [operands, run = resize_f32_kernels()[kernel].run] { run(operands->args); }};
}

}  // namespace

KernelWorkloads resize_f32_workloads() { return {std::size(kResizeShapes), make}; }

}  // namespace bitpose
