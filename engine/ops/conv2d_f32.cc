// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "engine/ops/conv_taps.h"
#include "engine/ops/convolution.h"
#include "engine/ops/gemm_blocks.h"
#include "engine/ops/packed_f32.h"

namespace bitpose {
namespace {

// conv2d_f32: 2-D convolution of floats in G = C / C' groups; a dense layer is its 1x1 case.
//   x        float32 [N,H,W,C]
//   weights  float32 [O,kh,kw,C'], constant; filter o sees the channels of group o / (O / G)
//   bias     float32 [O], constant
//   y        float32 [N,OH,OW,O]
class Conv2dF32Operator final : public ConvOperator {
 public:
  Conv2dF32Operator(const CreateArgs& args, const ConvLayer& layer);

  size_t scratch_per_thread(std::span<const TensorDesc>,
                            std::span<const TensorDesc>) const override {
    return taps_.scratch_bytes(block_rows());
  }
  void run(const RunArgs& args) const override;
  size_t packed_bytes() const override { return packed_.bytes() + padding_.size() * sizeof(float); }
  const char* kernel_name() const override { return packed_.kernel_name(); }

 private:
  size_t block_rows() const {
    return rows_per_block(packed_.mr(), taps_.row_bytes(), PackedF32::kBlockBytes);
  }
  void run_block(const RunArgs& args, const ConvGeometry& geometry, const GemmBlock& block,
                 std::byte* scratch) const;

  float fmin_, fmax_;
  ConvTaps taps_;
  PackedF32 packed_;
  std::vector<float> padding_;  ///< Zeros.
};

Conv2dF32Operator::Conv2dF32Operator(const CreateArgs& args, const ConvLayer& layer)
    : ConvOperator(layer),
      fmin_(args.as<ConvF32Attributes>().fmin),
      fmax_(args.as<ConvF32Attributes>().fmax),
      taps_(layer, sizeof(float), PackedF32::kMergedChannels),
      packed_(args.isas,
              {layer.columns, taps_.ks(), taps_.kc(),
               static_cast<const float*>(args.inputs[1].constant),
               static_cast<const float*>(args.inputs[2].constant)},
              layer.groups()),
      padding_(taps_.padding()) {}

void Conv2dF32Operator::run_block(const RunArgs& args, const ConvGeometry& geometry,
                                  const GemmBlock& block, std::byte* scratch) const {
  GemmF32Args gemm;
  gemm.m = block.rows;
  gemm.ks = taps_.ks();
  gemm.kc = taps_.kc();
  gemm.dst_stride = layer().columns;
  gemm.fmin = fmin_;
  gemm.fmax = fmax_;
  GroupRows<float> rows(taps_, geometry, layer(), args.inputs[0].as<float>(), padding_.data(),
                        block, scratch);
  auto* output = args.outputs[0].mutable_as<float>() + block.first_row * gemm.dst_stride;
  for (size_t i = block.first_panel; i < block.end_panel; ++i) {
    rows.turn_to(i / packed_.panels_per_group(), gemm);
    gemm.dst = output + packed_.first_column(i);
    packed_.run(i, gemm);
  }
}

void Conv2dF32Operator::run(const RunArgs& args) const {
  const ConvGeometry geometry = geometry_of(args.inputs[0].shape());
  for_each_block(args.pool, geometry.pixels(), block_rows(), packed_.panels(),
                 [&](const GemmBlock& block, size_t thread) {
                   run_block(args, geometry, block, args.scratch_of(thread));
                 });
}

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const ConvLayer layer = dense_layer(args);
  Status status = check_conv_f32(layer, 4, args);
  if (status.ok()) *op = std::make_unique<Conv2dF32Operator>(args, layer);
  return status;
}

}  // namespace

const OperatorType conv2d_f32_type = {.name = "conv2d_f32",
                                      .fields = kConvF32Fields,
                                      .attribute_bytes = sizeof(ConvF32Attributes),
                                      .min_inputs = 3,
                                      .max_inputs = 3,
                                      .outputs = 1,
                                      .create = create,
                                      .widens_weights = true};

}  // namespace bitpose
