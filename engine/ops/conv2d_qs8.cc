// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "engine/model/aligned_buffer.h"
#include "engine/ops/conv_taps.h"
#include "engine/ops/convolution.h"
#include "engine/ops/gemm_blocks.h"
#include "kernels/base/overread.h"
#include "kernels/igemm_qs8/igemm_qs8.h"
#include "kernels/row_sum_s8/row_sum_s8.h"

namespace bitpose {
namespace {

/// Channels up to which single taps would leave most of a step of k empty.
constexpr size_t kMergedChannels = 4;

/// The inputs of a block and their indirection stay in the first-level cache.
constexpr size_t kBlockBytes = 96 * 1024;

// conv2d_qs8: 2-D convolution of 8-bit tensors; a dense layer is its 1x1 case.
//   x           int8 [N,H,W,C]
//   weights     int8 [O,kh,kw,C], constant; its zero point may be non-zero
//   bias        int32 [O], constant, in units of scale(x) * scale(weights)
//   multiplier  float32 [O], constant: scale(x) * scale(weights) / scale(y)
//   y           int8 [N,OH,OW,O]
class Conv2dQs8Operator final : public ConvOperator {
 public:
  Conv2dQs8Operator(const CreateArgs& args, const ConvLayer& layer);

  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc> outputs) const override;
  void run(const RunArgs& args) const override;
  size_t packed_bytes() const override { return panels_.size() + padding_.size(); }
  const char* kernel_name() const override { return kernel_->name; }

 private:
  size_t panels() const { return (layer().columns + kernel_->layout.nr - 1) / kernel_->layout.nr; }
  std::byte* panel(size_t i) const { return panels_.data() + i * panel_bytes_; }
  size_t block_rows() const { return rows_per_block(kernel_->mr, taps_.row_bytes(), kBlockBytes); }
  void run_block(const RunArgs& args, const ConvGeometry& geometry, const GemmBlock& block,
                 std::byte* scratch) const;

  ConvTaps taps_;
  OutputRange range_;
  int32_t weight_zero_point_;
  const IgemmQs8Kernel* kernel_;
  const RowSumS8Kernel& row_sum_;
  size_t panel_bytes_;
  AlignedBuffer panels_;
  std::vector<int8_t> padding_;  ///< One tap's worth of the input's zero point.
};

Conv2dQs8Operator::Conv2dQs8Operator(const CreateArgs& args, const ConvLayer& layer)
    : ConvOperator(layer),
      taps_(layer, sizeof(int8_t), kMergedChannels),
      weight_zero_point_(args.inputs[1].zero_point),
      row_sum_(select_row_sum_s8(args.isas)) {
  const auto& attributes = args.as<ConvQs8Attributes>();
  range_ = {args.outputs[0].zero_point, attributes.qmin, attributes.qmax};
  const int32_t input_zero_point = args.inputs[0].zero_point;
  const IgemmQs8Weights weights{layer.columns,
                                taps_.ks(),
                                taps_.kc(),
                                static_cast<const int8_t*>(args.inputs[1].constant),
                                static_cast<const int32_t*>(args.inputs[2].constant),
                                static_cast<const float*>(args.inputs[3].constant),
                                input_zero_point,
                                weight_zero_point_};
  kernel_ = &select_igemm_qs8(args.isas, prove_igemm_qs8(weights));
  panel_bytes_ = packed_panel_bytes(kernel_->layout, taps_.ks(), taps_.kc());
  panels_ = AlignedBuffer(panels() * panel_bytes_ + kOverread);
  for (size_t i = 0; i < panels(); ++i) {
    pack_panel(kernel_->layout, weights, i * kernel_->layout.nr, panel(i));
  }
  padding_.assign(taps_.kc() + kOverread, static_cast<int8_t>(input_zero_point));
}

size_t Conv2dQs8Operator::scratch_per_thread(std::span<const TensorDesc>,
                                             std::span<const TensorDesc>) const {
  return taps_.scratch_bytes(block_rows()) + block_rows() * sizeof(int32_t);
}

void Conv2dQs8Operator::run_block(const RunArgs& args, const ConvGeometry& geometry,
                                  const GemmBlock& block, std::byte* scratch) const {
  const auto* input = args.inputs[0].as<int8_t>();
  IgemmQs8Args gemm;
  gemm.m = block.rows;
  gemm.ks = taps_.ks();
  gemm.kc = taps_.kc();
  if (geometry.is_pointwise()) {
    gemm.a = input + block.first_row * layer().channels;
    gemm.a_stride = layer().channels;
  } else {
    gemm.indirection =
        taps_.fill(geometry, input, padding_.data(), block.first_row, block.rows, scratch);
  }
  if (weight_zero_point_ != 0) {
    auto* row_bias = reinterpret_cast<int32_t*>(scratch + taps_.scratch_bytes(block_rows()));
    row_sum_.run({gemm.m, gemm.ks, gemm.kc, gemm.a, gemm.a_stride, gemm.indirection,
                  -weight_zero_point_, row_bias});
    gemm.row_bias = row_bias;
  }
  gemm.dst_stride = layer().columns;
  gemm.range = range_;
  auto* output = args.outputs[0].mutable_as<int8_t>() + block.first_row * gemm.dst_stride;
  const size_t nr = kernel_->layout.nr;
  for (size_t i = block.first_panel; i < block.end_panel; ++i) {
    gemm.n = std::min(nr, layer().columns - i * nr);
    gemm.panel = panel(i);
    gemm.dst = output + i * nr;
    kernel_->run(gemm);
  }
}

void Conv2dQs8Operator::run(const RunArgs& args) const {
  const ConvGeometry geometry = geometry_of(args.inputs[0].shape());
  for_each_block(args.pool, geometry.pixels(), block_rows(), panels(),
                 [&](const GemmBlock& block, size_t thread) {
                   run_block(args, geometry, block, args.scratch_of(thread));
                 });
}

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const ConvLayer layer = dense_layer(conv2d_qs8_type.name, args);
  Status status = check_conv_qs8(layer, 4, args);
  if (status.ok()) *op = std::make_unique<Conv2dQs8Operator>(args, layer);
  return status;
}

}  // namespace

const OperatorType conv2d_qs8_type = {.name = "conv2d_qs8",
                                      .fields = kConvQs8Fields,
                                      .attribute_bytes = sizeof(ConvQs8Attributes),
                                      .min_inputs = 4,
                                      .max_inputs = 4,
                                      .outputs = 1,
                                      .create = create};

}  // namespace bitpose
