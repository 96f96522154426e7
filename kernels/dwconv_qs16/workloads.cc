// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/aligned.h"
#include "kernels/base/dwconv_workload.h"
#include "kernels/base/random.h"
#include "kernels/base/workload.h"
#include "kernels/dwconv_qs16/dwconv_qs16.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<int16_t> input, dst;
  std::vector<const int16_t*> columns;
  std::vector<const int16_t* const*> lines;
  AlignedPointer<std::byte> packed;
  DwconvQs16Args args;
};

Workload make(size_t kernel, size_t index) {
  const DwconvShape& shape = kDwconvShapes[index];
  const DwconvQs16Kernel& k = dwconv_qs16_kernels()[kernel];
  Random random(1);
  const size_t pixels = shape.size * shape.input_w();
  const std::vector<int8_t> weights = random.codes(shape.size * shape.size * shape.channels, -127);
  const std::vector<int32_t> bias(shape.channels, 1000);
  const std::vector<float> multiplier(shape.channels, 1.0f / 512.0f);
  DwconvQs8Weights layer;
  layer.channels = shape.channels;
  layer.kernel_h = shape.size;
  layer.kernel_w = shape.size;
  layer.weights = weights.data();
  layer.bias = bias.data();
  layer.multiplier = multiplier.data();

  auto operands = std::make_shared<Operands>();
  operands->input = random.codes16(pixels * shape.channels + kOverread / sizeof(int16_t));
  operands->dst.resize(shape.output_w * shape.channels);
  for (size_t i = 0; i < pixels; ++i) {
    operands->columns.push_back(operands->input.data() + i * shape.channels);
  }
  for (size_t ky = 0; ky < shape.size; ++ky) {
    operands->lines.push_back(operands->columns.data() + ky * shape.input_w());
  }
  operands->packed = allocate_aligned<std::byte>(packed_dwconv_bytes(k, layer));
  pack_dwconv(k, layer, operands->packed.get());
  DwconvQs16Args& args = operands->args;
  args.output_w = shape.output_w;
  args.channels = shape.channels;
  args.kernel_h = shape.size;
  args.kernel_w = shape.size;
  args.stride_w = shape.stride;
  args.lines = operands->lines.data();
  args.packed = operands->packed.get();
  args.dst = operands->dst.data();
  args.dst_stride = shape.channels;
  args.range = {0, -32768, 32767};
  const uint64_t bytes =
      2 * pixels * shape.channels + weights.size() + 2 * shape.output_w * shape.channels;
  return {shape.text(), shape.macs(), bytes, [operands, run = k.run] { run(operands->args); }};
}

}  // namespace

KernelWorkloads dwconv_qs16_workloads() { return {std::size(kDwconvShapes), make}; }

}  // namespace bitpose
