// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "engine/ops/conv_taps.h"
#include "engine/ops/convolution.h"
#include "engine/ops/gemm_blocks.h"
#include "engine/ops/packed_qs8.h"
#include "engine/ops/qs8_output.h"
#include "kernels/base/overread.h"

namespace bitpose {

/// conv2d_qs8 and conv2d_qs8_f32: everything but the attributes and what is made of the sums, which
/// is `Output` (engine/ops/qs8_output.h).
template <typename Output>
class Conv2dQs8Operator final : public ConvOperator {
 public:
  /// The operands have been checked.
  Conv2dQs8Operator(const CreateArgs& args, const ConvLayer& layer, const Output& output);

  size_t scratch_per_thread(std::span<const TensorDesc>,
                            std::span<const TensorDesc>) const override {
    return taps_.scratch_bytes(block_rows()) + block_rows() * sizeof(int32_t);
  }
  void run(const RunArgs& args) const override;
  size_t packed_bytes() const override { return packed_.bytes() + padding_.size(); }
  const char* kernel_name() const override { return packed_.kernel_name(); }

 private:
  size_t block_rows() const {
    return rows_per_block(packed_.mr(), taps_.row_bytes(), PackedQs8::kBlockBytes);
  }
  void run_block(const RunArgs& args, const ConvGeometry& geometry, const GemmBlock& block,
                 std::byte* scratch) const;

  ConvTaps taps_;
  Output output_;
  PackedQs8 packed_;
  std::vector<int8_t> padding_;  ///< The input's zero point.
};

template <typename Output>
Conv2dQs8Operator<Output>::Conv2dQs8Operator(const CreateArgs& args, const ConvLayer& layer,
                                             const Output& output)
    : ConvOperator(layer),
      taps_(layer, sizeof(int8_t), PackedQs8::kMergedChannels),
      output_(output),
      packed_(args.isas,
              {layer.columns, taps_.ks(), taps_.kc(),
               static_cast<const int8_t*>(args.inputs[1].constant),
               static_cast<const int32_t*>(args.inputs[2].constant),
               static_cast<const float*>(args.inputs[3].constant), args.inputs[0].zero_point,
               args.inputs[1].zero_point},
              layer.groups()),
      padding_(taps_.padding() + kOverread, static_cast<int8_t>(args.inputs[0].zero_point)) {}

template <typename Output>
void Conv2dQs8Operator<Output>::run_block(const RunArgs& args, const ConvGeometry& geometry,
                                          const GemmBlock& block, std::byte* scratch) const {
  IgemmQs8Args gemm;
  gemm.m = block.rows;
  gemm.ks = taps_.ks();
  gemm.kc = taps_.kc();
  gemm.dst_stride = layer().columns;
  GroupRows<int8_t> rows(taps_, geometry, layer(), args.inputs[0].as<int8_t>(), padding_.data(),
                         block, scratch);
  auto* sums = reinterpret_cast<int32_t*>(scratch + taps_.scratch_bytes(block_rows()));
  auto* dst =
      args.outputs[0].mutable_as<typename Output::Element>() + block.first_row * gemm.dst_stride;
  for (size_t i = block.first_panel; i < block.end_panel; ++i) {
    if (rows.turn_to(i / packed_.panels_per_group(), gemm)) packed_.sum_rows(gemm, sums);
    output_.direct(gemm, dst + packed_.first_column(i));
    packed_.run(i, gemm);
  }
}

template <typename Output>
void Conv2dQs8Operator<Output>::run(const RunArgs& args) const {
  const ConvGeometry geometry = geometry_of(args.inputs[0].shape());
  for_each_block(args.pool, geometry.pixels(), block_rows(), packed_.panels(),
                 [&](const GemmBlock& block, size_t thread) {
                   run_block(args, geometry, block, args.scratch_of(thread));
                 });
}

}  // namespace bitpose
