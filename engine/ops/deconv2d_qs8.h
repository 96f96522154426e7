// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "engine/ops/conv_taps.h"
#include "engine/ops/deconvolution.h"
#include "engine/ops/gemm_blocks.h"
#include "engine/ops/packed_qs8.h"
#include "engine/ops/qs8_output.h"
#include "kernels/base/overread.h"

namespace bitpose {

/// deconv2d_qs8 and deconv2d_qs8_f32: everything but the attributes and what is made of the sums,
/// which is `Output` (engine/ops/qs8_output.h).
template <typename Output>
class Deconv2dQs8Operator final : public DeconvOperator {
 public:
  /// The operands have been checked.
  Deconv2dQs8Operator(const CreateArgs& args, const ConvLayer& layer, const Output& output);

  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc> outputs) const override;
  void run(const RunArgs& args) const override;
  size_t packed_bytes() const override;
  const char* kernel_name() const override { return parts_[0].packed.kernel_name(); }

 private:
  using Element = Output::Element;

  /// A phase, ready to run.
  struct Part {
    const DeconvPhase& phase;
    ConvTaps taps;
    PackedQs8 packed;

    size_t block_rows() const {
      return rows_per_block(packed.mr(), taps.row_bytes(), PackedQs8::kBlockBytes);
    }
    /// Scratch: the taps, row sums and one panel's results.
    size_t tile_offset() const {
      return taps.scratch_bytes(block_rows()) + block_rows() * sizeof(int32_t);
    }
    size_t scratch_bytes() const {
      return tile_offset() + block_rows() * packed.nr() * sizeof(Element);
    }
  };

  void run_block(const RunArgs& args, const Part& part, const ConvGeometry& geometry,
                 const GemmBlock& block, std::byte* scratch) const;

  Output output_;
  std::vector<Part> parts_;
  std::vector<int8_t> padding_;  ///< The input's zero point.
  std::vector<Element> gap_;     ///< A pixel without taps.
};

template <typename Output>
Deconv2dQs8Operator<Output>::Deconv2dQs8Operator(const CreateArgs& args, const ConvLayer& layer,
                                                 const Output& output)
    : DeconvOperator(layer, args.as<DeconvWindow>()), output_(output) {
  const auto* weights = static_cast<const int8_t*>(args.inputs[1].constant);
  const auto* bias = static_cast<const int32_t*>(args.inputs[2].constant);
  const auto* multiplier = static_cast<const float*>(args.inputs[3].constant);
  const int32_t input_zero_point = args.inputs[0].zero_point;
  size_t padding = 0;
  for (const DeconvPhase& phase : phases()) {
    const ConvTaps taps(phase.layer, sizeof(int8_t), PackedQs8::kMergedChannels);
    const std::vector<int8_t> filters = phase.filters(weights, layer.taps());
    const IgemmQs8Weights operands{
        layer.columns, taps.ks(),  taps.kc(),        filters.data(),
        bias,          multiplier, input_zero_point, args.inputs[1].zero_point};
    parts_.push_back({phase, taps, PackedQs8(args.isas, operands, layer.groups())});
    padding = std::max(padding, taps.padding());
  }
  padding_.assign(padding + kOverread, static_cast<int8_t>(input_zero_point));
  for (size_t o = 0; o < layer.columns; ++o) {
    gap_.push_back(output_.of(bias[o], multiplier[o]));
  }
}

template <typename Output>
size_t Deconv2dQs8Operator<Output>::packed_bytes() const {
  size_t bytes = padding_.size() + gap_.size() * sizeof(Element);
  for (const Part& part : parts_) bytes += part.packed.bytes();
  return bytes;
}

template <typename Output>
size_t Deconv2dQs8Operator<Output>::scratch_per_thread(std::span<const TensorDesc>,
                                                       std::span<const TensorDesc>) const {
  size_t bytes = 0;
  for (const Part& part : parts_) {
    bytes = std::max(bytes, part.scratch_bytes());
  }
  return bytes;
}

template <typename Output>
void Deconv2dQs8Operator<Output>::run_block(const RunArgs& args, const Part& part,
                                            const ConvGeometry& geometry, const GemmBlock& block,
                                            std::byte* scratch) const {
  const PackedQs8& packed = part.packed;
  IgemmQs8Args gemm;
  gemm.m = block.rows;
  gemm.ks = part.taps.ks();
  gemm.kc = part.taps.kc();
  // A panel's results, which belong to pixels at unequal distances.
  auto* tile = reinterpret_cast<Element*>(scratch + part.tile_offset());
  auto* sums = reinterpret_cast<int32_t*>(scratch + part.taps.scratch_bytes(part.block_rows()));
  output_.direct(gemm, tile);
  gemm.dst_stride = packed.nr();
  GroupRows<int8_t> rows(part.taps, geometry, part.phase.layer, args.inputs[0].as<int8_t>(),
                         padding_.data(), block, scratch);
  auto* dst = args.outputs[0].mutable_as<Element>();
  for (size_t i = block.first_panel; i < block.end_panel; ++i) {
    if (rows.turn_to(i / packed.panels_per_group(), gemm)) packed.sum_rows(gemm, sums);
    packed.run(i, gemm);
    PhaseWalk pixels(layer(), part.phase, geometry, args.outputs[0].shape(), block.first_row);
    for (size_t row = 0; row < block.rows; ++row) {
      Element* pixel = dst + pixels.next() * layer().columns;
      std::copy_n(tile + row * packed.nr(), packed.columns(i), pixel + packed.first_column(i));
    }
  }
}

template <typename Output>
void Deconv2dQs8Operator<Output>::run(const RunArgs& args) const {
  fill_gaps(args, gap_.data(), gap_.size() * sizeof(Element));
  for (const Part& part : parts_) {
    const ConvGeometry geometry =
        geometry_of(part.phase, args.inputs[0].shape(), args.outputs[0].shape());
    for_each_block(args.pool, geometry.pixels(), part.block_rows(), part.packed.panels(),
                   [&](const GemmBlock& block, size_t thread) {
                     run_block(args, part, geometry, block, args.scratch_of(thread));
                   });
  }
}

}  // namespace bitpose
