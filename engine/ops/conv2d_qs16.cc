// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "engine/ops/conv_taps.h"
#include "engine/ops/convolution.h"
#include "engine/ops/gemm_blocks.h"
#include "engine/ops/packed_qs16.h"
#include "kernels/base/overread.h"

namespace bitpose {
namespace {

// conv2d_qs16: 2-D convolution of 16-bit tensors in G = C / C' groups; a dense layer is its 1x1
// case (kernels/igemm_qs16/igemm_qs16.h).
//   x           int16 [N,H,W,C], zero point 0
//   weights     int8 [O,kh,kw,C'], constant, zero point 0; filter o sees the channels of group
//               o / (O / G)
//   bias        int32 [O], constant, in units of scale(x) * scale(weights); |bias| <= 2^30
//   multiplier  float32 [O], constant: scale(x) * scale(weights) / scale(y)
//   y           int8 or int16 [N,OH,OW,O]
class Conv2dQs16Operator final : public ConvOperator {
 public:
  Conv2dQs16Operator(const CreateArgs& args, const ConvLayer& layer);

  size_t scratch_per_thread(std::span<const TensorDesc>,
                            std::span<const TensorDesc>) const override {
    return taps_.scratch_bytes(block_rows());
  }
  void run(const RunArgs& args) const override;
  size_t packed_bytes() const override {
    return packed_.bytes() + padding_.size() * sizeof(int16_t);
  }
  const char* kernel_name() const override { return packed_.kernel_name(); }

 private:
  size_t block_rows() const {
    return rows_per_block(packed_.mr(), taps_.row_bytes(), PackedQs16::kBlockBytes);
  }
  void run_block(const RunArgs& args, const ConvGeometry& geometry, const GemmBlock& block,
                 std::byte* scratch) const;

  ConvTaps taps_;
  OutputRange range_;
  PackedQs16 packed_;
  std::vector<int16_t> padding_;  ///< Zeros.
};

Conv2dQs16Operator::Conv2dQs16Operator(const CreateArgs& args, const ConvLayer& layer)
    : ConvOperator(layer),
      taps_(layer, sizeof(int16_t), PackedQs16::kMergedChannels),
      range_{args.outputs[0].zero_point, args.as<ConvQs8Attributes>().qmin,
             args.as<ConvQs8Attributes>().qmax},
      packed_(args.isas,
              {layer.columns, taps_.ks(), taps_.kc(),
               static_cast<const int8_t*>(args.inputs[1].constant),
               static_cast<const int32_t*>(args.inputs[2].constant),
               static_cast<const float*>(args.inputs[3].constant)},
              layer.groups()),
      padding_(taps_.padding() + kOverread / sizeof(int16_t)) {}

void Conv2dQs16Operator::run_block(const RunArgs& args, const ConvGeometry& geometry,
                                   const GemmBlock& block, std::byte* scratch) const {
  IgemmQs16Args gemm;
  gemm.m = block.rows;
  gemm.ks = taps_.ks();
  gemm.kc = taps_.kc();
  gemm.dst_stride = layer().columns;
  gemm.range = range_;
  GroupRows<int16_t> rows(taps_, geometry, layer(), args.inputs[0].as<int16_t>(), padding_.data(),
                          block, scratch);
  gemm.narrow = args.outputs[0].desc->dtype == DType::kS8;
  const size_t code_bytes = gemm.narrow ? sizeof(int8_t) : sizeof(int16_t);
  auto* output =
      args.outputs[0].mutable_as<std::byte>() + block.first_row * gemm.dst_stride * code_bytes;
  for (size_t i = block.first_panel; i < block.end_panel; ++i) {
    rows.turn_to(i / packed_.panels_per_group(), gemm);
    gemm.dst = output + packed_.first_column(i) * code_bytes;
    packed_.run(i, gemm);
  }
}

void Conv2dQs16Operator::run(const RunArgs& args) const {
  const ConvGeometry geometry = geometry_of(args.inputs[0].shape());
  for_each_block(args.pool, geometry.pixels(), block_rows(), packed_.panels(),
                 [&](const GemmBlock& block, size_t thread) {
                   run_block(args, geometry, block, args.scratch_of(thread));
                 });
}

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const ConvLayer layer = dense_layer(args);
  Status status = check_conv_qs16(layer, 4, args);
  if (status.ok()) *op = std::make_unique<Conv2dQs16Operator>(args, layer);
  return status;
}

}  // namespace

const OperatorType conv2d_qs16_type = {.name = "conv2d_qs16",
                                       .fields = kConvQs16Fields,
                                       .attribute_bytes = sizeof(ConvQs8Attributes),
                                       .min_inputs = 4,
                                       .max_inputs = 4,
                                       .outputs = 1,
                                       .create = create};

}  // namespace bitpose
