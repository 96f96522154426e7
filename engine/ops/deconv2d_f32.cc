// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "engine/ops/conv_taps.h"
#include "engine/ops/deconvolution.h"
#include "engine/ops/gemm_blocks.h"
#include "engine/ops/packed_f32.h"
#include "kernels/base/clamp.h"

namespace bitpose {
namespace {

// deconv2d_f32: transposed 2-D convolution of floats in G = C / C' groups. An output adds its taps
// last tap first, so that the inputs under them are in the order of memory.
//   x        float32 [N,H,W,C]
//   weights  float32 [O,kh,kw,C'], constant; filter o sees the channels of group o / (O / G)
//   bias     float32 [O], constant
//   y        float32 [N,OH,OW,O]
class Deconv2dF32Operator final : public DeconvOperator {
 public:
  Deconv2dF32Operator(const CreateArgs& args, const ConvLayer& layer);

  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc> outputs) const override;
  void run(const RunArgs& args) const override;
  size_t packed_bytes() const override;
  const char* kernel_name() const override { return parts_[0].packed.kernel_name(); }

 private:
  /// A phase, ready to run.
  struct Part {
    const DeconvPhase& phase;
    ConvTaps taps;
    PackedF32 packed;

    size_t block_rows() const {
      return rows_per_block(packed.mr(), taps.row_bytes(), PackedF32::kBlockBytes);
    }
    size_t tile_bytes() const { return block_rows() * packed.nr() * sizeof(float); }
  };

  void run_block(const RunArgs& args, const Part& part, const ConvGeometry& geometry,
                 const GemmBlock& block, std::byte* scratch) const;

  float fmin_, fmax_;
  std::vector<Part> parts_;
  std::vector<float> padding_;  ///< Zeros.
  std::vector<float> gap_;      ///< A pixel without taps.
};

Deconv2dF32Operator::Deconv2dF32Operator(const CreateArgs& args, const ConvLayer& layer)
    : DeconvOperator(layer, args.as<DeconvWindow>()),
      fmin_(args.as<DeconvF32Attributes>().fmin),
      fmax_(args.as<DeconvF32Attributes>().fmax) {
  const auto* weights = static_cast<const float*>(args.inputs[1].constant);
  const auto* bias = static_cast<const float*>(args.inputs[2].constant);
  for (const DeconvPhase& phase : phases()) {
    const ConvTaps taps(phase.layer, sizeof(float), PackedF32::kMergedChannels);
    const std::vector<float> filters = phase.filters(weights, layer.taps());
    const GemmF32Weights operands{layer.columns, taps.ks(), taps.kc(), filters.data(), bias};
    parts_.push_back({phase, taps, PackedF32(args.isas, operands, layer.groups())});
    padding_.resize(std::max(padding_.size(), taps.padding()));
  }
  for (size_t o = 0; o < layer.columns; ++o) gap_.push_back(clamp(bias[o], fmin_, fmax_));
}

size_t Deconv2dF32Operator::packed_bytes() const {
  size_t bytes = (padding_.size() + gap_.size()) * sizeof(float);
  for (const Part& part : parts_) bytes += part.packed.bytes();
  return bytes;
}

size_t Deconv2dF32Operator::scratch_per_thread(std::span<const TensorDesc>,
                                               std::span<const TensorDesc>) const {
  size_t bytes = 0;
  for (const Part& part : parts_) {
    bytes = std::max(bytes, part.tile_bytes() + part.taps.scratch_bytes(part.block_rows()));
  }
  return bytes;
}

void Deconv2dF32Operator::run_block(const RunArgs& args, const Part& part,
                                    const ConvGeometry& geometry, const GemmBlock& block,
                                    std::byte* scratch) const {
  const PackedF32& packed = part.packed;
  GemmF32Args gemm;
  gemm.m = block.rows;
  gemm.ks = part.taps.ks();
  gemm.kc = part.taps.kc();
  gemm.fmin = fmin_;
  gemm.fmax = fmax_;
  // A panel's results, which belong to pixels at unequal distances.
  auto* tile = reinterpret_cast<float*>(scratch);
  gemm.dst = tile;
  gemm.dst_stride = packed.nr();
  GroupRows<float> rows(part.taps, geometry, part.phase.layer, args.inputs[0].as<float>(),
                        padding_.data(), block, scratch + part.tile_bytes());
  auto* output = args.outputs[0].mutable_as<float>();
  for (size_t i = block.first_panel; i < block.end_panel; ++i) {
    rows.turn_to(i / packed.panels_per_group(), gemm);
    packed.run(i, gemm);
    PhaseWalk pixels(layer(), part.phase, geometry, args.outputs[0].shape(), block.first_row);
    for (size_t row = 0; row < block.rows; ++row) {
      float* pixel = output + pixels.next() * layer().columns;
      std::copy_n(tile + row * packed.nr(), packed.columns(i), pixel + packed.first_column(i));
    }
  }
}

void Deconv2dF32Operator::run(const RunArgs& args) const {
  fill_gaps(args, gap_.data(), gap_.size() * sizeof(float));
  for (const Part& part : parts_) {
    const ConvGeometry geometry =
        geometry_of(part.phase, args.inputs[0].shape(), args.outputs[0].shape());
    for_each_block(args.pool, geometry.pixels(), part.block_rows(), part.packed.panels(),
                   [&](const GemmBlock& block, size_t thread) {
                     run_block(args, part, geometry, block, args.scratch_of(thread));
                   });
  }
}

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const ConvLayer layer = dense_layer(args);
  const auto& attributes = args.as<DeconvF32Attributes>();
  OperandChecks checks;
  check_conv_f32_operands(layer, 4, args, checks);
  checks.require(attributes.fmin <= attributes.fmax, "fmin must not exceed fmax");
  if (checks.ok()) *op = std::make_unique<Deconv2dF32Operator>(args, layer);
  return checks.status();
}

}  // namespace

const OperatorType deconv2d_f32_type = {.name = "deconv2d_f32",
                                        .fields = kDeconvF32Fields,
                                        .attribute_bytes = sizeof(DeconvF32Attributes),
                                        .min_inputs = 3,
                                        .max_inputs = 3,
                                        .outputs = 1,
                                        .create = create,
                                        .widens_weights = true};

}  // namespace bitpose
