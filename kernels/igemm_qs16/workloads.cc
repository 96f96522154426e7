// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/aligned.h"
#include "kernels/base/gemm_workload.h"
#include "kernels/base/random.h"
#include "kernels/base/workload.h"
#include "kernels/igemm_qs16/igemm_qs16.h"

namespace bitpose {
namespace {

struct Operands {
  std::vector<int16_t> a, dst;
  std::vector<const int16_t*> taps;
  AlignedPointer<std::byte> panels;
  IgemmQs16Args args;
};

Workload make(size_t kernel, size_t index) {
  const GemmShape& shape = kGemmShapes[index];
  const IgemmQs16Kernel& k = igemm_qs16_kernels()[kernel];
  const size_t nr = k.layout.nr;
  Random random(1);
  const std::vector<int8_t> weights = random.codes(shape.weights(), -127);
  const std::vector<int32_t> bias(shape.n, 1000);
  const std::vector<float> multiplier(shape.n, 1.0f / (64.0f * static_cast<float>(shape.kc)));
  IgemmQs8Weights layer;
  layer.n = shape.n;
  layer.ks = shape.ks;
  layer.kc = shape.kc;
  layer.weights = weights.data();
  layer.bias = bias.data();
  layer.multiplier = multiplier.data();

  auto operands = std::make_shared<Operands>();
  operands->a = random.codes16(shape.activations() + kOverread / sizeof(int16_t));
  operands->dst.resize(shape.m * shape.n);
  IgemmQs16Args& args = operands->args;
  args.m = shape.m;
  args.ks = shape.ks;
  args.kc = shape.kc;
  args.segment = segment_igemm_qs16(layer, k.layout.kr);
  args.a = operands->a.data();
  args.a_stride = shape.kc;
  args.dst_stride = shape.n;
  args.range = {0, -32768, 32767};
  if (shape.ks > 1) {
    for (size_t i = 0; i < shape.m * shape.ks; ++i) {
      const size_t pixel = i / shape.ks + i % shape.ks;
      operands->taps.push_back(args.a + pixel * shape.kc);
    }
    args.indirection = operands->taps.data();
  }
  const size_t panel_bytes = packed_panel_bytes(k.layout, shape.ks, shape.kc);
  operands->panels = allocate_aligned<std::byte>((shape.n + nr - 1) / nr * panel_bytes);
  for (size_t column = 0; column < shape.n; column += nr) {
    pack_panel(k.layout, layer, column, operands->panels.get() + column / nr * panel_bytes);
  }
  const uint64_t bytes = 2 * shape.activations() + shape.weights() + 2 * shape.m * shape.n;
  return {shape.text(), shape.macs(), bytes, [operands, panel_bytes, &k, n = shape.n] {
            IgemmQs16Args call = operands->args;
            for (size_t column = 0; column < n; column += k.layout.nr) {
              call.panel = operands->panels.get() + column / k.layout.nr * panel_bytes;
              call.n = std::min<size_t>(k.layout.nr, n - column);
              call.dst = operands->dst.data() + column;
              k.run(call);
            }
          }};
}

}  // namespace

KernelWorkloads igemm_qs16_workloads() { return {std::size(kGemmShapes), make}; }

}  // namespace bitpose
