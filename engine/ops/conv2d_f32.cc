// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "engine/model/aligned_buffer.h"
#include "engine/ops/conv_taps.h"
#include "engine/ops/convolution.h"
#include "engine/ops/gemm_blocks.h"
#include "kernels/gemm_f32/gemm_f32.h"

namespace bitpose {
namespace {

/// Channels up to which a tile would spend its time on pointers to single taps.
constexpr size_t kMergedChannels = 8;

/// The inputs of a block stay in the second-level cache.
constexpr size_t kBlockBytes = 128 * 1024;

// conv2d_f32: 2-D convolution of floats; a dense layer is its 1x1 case.
//   x        float32 [N,H,W,C]
//   weights  float32 [O,kh,kw,C], constant
//   bias     float32 [O], constant
//   y        float32 [N,OH,OW,O]
class Conv2dF32Operator final : public ConvOperator {
 public:
  Conv2dF32Operator(const CreateArgs& args, const ConvLayer& layer);

  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc> outputs) const override;
  void run(const RunArgs& args) const override;
  size_t packed_bytes() const override { return panels_.size() + padding_.size() * sizeof(float); }
  const char* kernel_name() const override { return plan_.kernel(0).name; }

 private:
  size_t block_rows() const {
    return rows_per_block(plan_.kernel(0).mr, taps_.row_bytes(), kBlockBytes);
  }
  float* panel(size_t i) const {
    return reinterpret_cast<float*>(panels_.data() + i * body_bytes_);
  }
  void run_block(const RunArgs& args, const ConvGeometry& geometry, const GemmBlock& block,
                 std::byte* scratch) const;

  float fmin_, fmax_;
  ConvTaps taps_;
  GemmF32Plan plan_;
  size_t body_bytes_;  ///< Of one packed panel of the plan's body.
  AlignedBuffer panels_;
  std::vector<float> padding_;  ///< One tap of zeros.
};

Conv2dF32Operator::Conv2dF32Operator(const CreateArgs& args, const ConvLayer& layer)
    : ConvOperator(layer),
      fmin_(args.as<ConvF32Attributes>().fmin),
      fmax_(args.as<ConvF32Attributes>().fmax),
      taps_(layer, sizeof(float), kMergedChannels),
      plan_(plan_gemm_f32(args.isas, layer.columns)),
      body_bytes_(packed_panel_bytes(plan_.body->nr, taps_.ks(), taps_.kc())),
      padding_(taps_.kc()) {
  const GemmF32Weights weights{layer.columns, taps_.ks(), taps_.kc(),
                               static_cast<const float*>(args.inputs[1].constant),
                               static_cast<const float*>(args.inputs[2].constant)};
  const size_t tail_bytes =
      plan_.tail_columns == 0 ? 0 : packed_panel_bytes(plan_.tail->nr, taps_.ks(), taps_.kc());
  panels_ = AlignedBuffer(plan_.body_panels * body_bytes_ + tail_bytes);
  for (size_t i = 0; i < plan_.panels(); ++i) {
    pack_panel(plan_.kernel(i).nr, weights, plan_.first_column(i), panel(i));
  }
}

size_t Conv2dF32Operator::scratch_per_thread(std::span<const TensorDesc>,
                                             std::span<const TensorDesc>) const {
  return taps_.scratch_bytes(block_rows());
}

void Conv2dF32Operator::run_block(const RunArgs& args, const ConvGeometry& geometry,
                                  const GemmBlock& block, std::byte* scratch) const {
  const auto* input = args.inputs[0].as<float>();
  GemmF32Args gemm;
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
  gemm.dst_stride = layer().columns;
  gemm.fmin = fmin_;
  gemm.fmax = fmax_;
  auto* output = args.outputs[0].mutable_as<float>() + block.first_row * gemm.dst_stride;
  for (size_t i = block.first_panel; i < block.end_panel; ++i) {
    gemm.n = plan_.columns(i);
    gemm.panel = panel(i);
    gemm.dst = output + plan_.first_column(i);
    plan_.kernel(i).run(gemm);
  }
}

void Conv2dF32Operator::run(const RunArgs& args) const {
  const ConvGeometry geometry = geometry_of(args.inputs[0].shape());
  for_each_block(args.pool, geometry.pixels(), block_rows(), plan_.panels(),
                 [&](const GemmBlock& block, size_t thread) {
                   run_block(args, geometry, block, args.scratch_of(thread));
                 });
}

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const ConvLayer layer = dense_layer(conv2d_f32_type.name, args);
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
                                      .create = create};

}  // namespace bitpose
