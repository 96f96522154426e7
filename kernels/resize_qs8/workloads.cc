// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/random.h"
#include "kernels/base/resize_workload.h"
#include "kernels/base/workload.h"
#include "kernels/resize_qs8/resize_qs8.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<int8_t> rows, dst;
  std::vector<ResizeQs8Column> columns;
  ResizeQs8Args args;
};

Workload make(size_t kernel, size_t shape) {
  const ResizeShape& resize = kResizeShapes[shape];
  auto operands = std::make_shared<Operands>();
  operands->rows = Random(1).codes(2 * resize.row_elements());
  operands->dst.resize(resize.dst_elements());
  for (size_t x = 0; x < resize.columns; ++x) {
    const float weight = resize.weight(x);
    operands->columns.push_back({resize.left(x), resize.right(x), 1.0f - weight, weight});
  }
  ResizeQs8Args& args = operands->args;
  args.n = resize.columns;
  args.kc = resize.channels;
  args.top = operands->rows.data();
  args.bottom = args.top + resize.row_elements();
  args.columns = operands->columns.data();
  args.top_weight = 0.75f;
  args.bottom_weight = 0.25f;
  args.zero_point = 3;
  args.x_scale = 0.05f;
  args.y_scale = 0.06f;
  args.dst = operands->dst.data();
  return {resize.text(), 0, operands->rows.size() + operands->dst.size(),
          [operands, run = resize_qs8_kernels()[kernel].run] { run(operands->args); }};
}

}  // namespace

KernelWorkloads resize_qs8_workloads() { return {std::size(kResizeShapes), make}; }

}  // namespace bitpose
