// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "engine/model/aligned_buffer.h"
#include "engine/ops/conv_rows.h"
#include "engine/ops/convolution.h"
#include "engine/ops/input_lines.h"
#include "kernels/base/overread.h"
#include "kernels/dwconv_f32/dwconv_f32.h"

namespace bitpose {
namespace {

/// Multiply-accumulates that are worth handing to another thread.
constexpr size_t kTaskMacs = 64 * 1024;

// dwconv2d_f32: 2-D convolution of floats, each channel with a filter of its own.
//   x        float32 [N,H,W,C]
//   weights  float32 [kh,kw,C], constant
//   bias     float32 [C], constant
//   y        float32 [N,OH,OW,C]
class Dwconv2dF32Operator final : public ConvOperator {
 public:
  Dwconv2dF32Operator(const CreateArgs& args, const ConvLayer& layer);

  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc>) const override {
    return InputLines::scratch_bytes(geometry_of(inputs[0].shape));
  }
  void run(const RunArgs& args) const override;
  size_t packed_bytes() const override { return packed_.size() + padding_.size() * sizeof(float); }
  const char* kernel_name() const override { return kernel_.name; }

 private:
  void run_rows(const RunArgs& args, const ConvGeometry& g, const ConvRows& rows,
                std::byte* scratch) const;

  float fmin_, fmax_;
  const DwconvF32Kernel& kernel_;
  AlignedBuffer packed_;
  std::vector<float> padding_;  ///< A pixel of zeros.
};

Dwconv2dF32Operator::Dwconv2dF32Operator(const CreateArgs& args, const ConvLayer& layer)
    : ConvOperator(layer),
      fmin_(args.as<ConvF32Attributes>().fmin),
      fmax_(args.as<ConvF32Attributes>().fmax),
      kernel_(select_dwconv_f32(args.isas)),
      padding_(layer.channels + kOverread / sizeof(float)) {
  const DwconvF32Weights weights{layer.channels, layer.taps(),
                                 static_cast<const float*>(args.inputs[1].constant),
                                 static_cast<const float*>(args.inputs[2].constant)};
  packed_ = AlignedBuffer(packed_dwconv_bytes(kernel_, weights));
  pack_dwconv(kernel_, weights, reinterpret_cast<float*>(packed_.data()));
}

void Dwconv2dF32Operator::run_rows(const RunArgs& args, const ConvGeometry& g, const ConvRows& rows,
                                   std::byte* scratch) const {
  const size_t channels = layer().channels;
  const auto* input = args.inputs[0].as<float>() + rows.picture * g.input_h * g.input_w * channels;
  auto* output =
      args.outputs[0].mutable_as<float>() + rows.picture * g.output_h * g.output_w * channels;
  InputLines lines(g, channels * sizeof(float), reinterpret_cast<const std::byte*>(padding_.data()),
                   scratch);
  DwconvF32Args kernel;
  kernel.channels = channels;
  kernel.kernel_h = g.kernel_h;
  kernel.kernel_w = g.kernel_w;
  kernel.stride_w = lines.stride();
  kernel.packed = reinterpret_cast<const float*>(packed_.data());
  kernel.dst_stride = lines.phases() * channels;
  kernel.fmin = fmin_;
  kernel.fmax = fmax_;
  for (size_t phase = 0; phase < lines.phases(); ++phase) {
    kernel.output_w = lines.output_w(phase);
    if (kernel.output_w == 0) break;
    lines.start(reinterpret_cast<const std::byte*>(input), phase);
    for (size_t y = rows.first; y < rows.end; ++y) {
      kernel.lines = reinterpret_cast<const float* const* const*>(lines.row(y));
      kernel.dst = output + (y * g.output_w + phase) * channels;
      kernel_.run(kernel);
    }
  }
}

void Dwconv2dF32Operator::run(const RunArgs& args) const {
  const ConvGeometry g = geometry_of(args.inputs[0].shape());
  for_each_rows(args.pool, g, 1, layer().channels, kTaskMacs,
                [&](const ConvRows& rows, size_t thread) {
                  run_rows(args, g, rows, args.scratch_of(thread));
                });
}

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const ConvLayer layer = depthwise_layer(args);
  Status status = check_conv_f32(layer, 3, args);
  if (status.ok()) *op = std::make_unique<Dwconv2dF32Operator>(args, layer);
  return status;
}

}  // namespace

const OperatorType dwconv2d_f32_type = {.name = "dwconv2d_f32",
                                        .fields = kConvF32Fields,
                                        .attribute_bytes = sizeof(ConvF32Attributes),
                                        .min_inputs = 3,
                                        .max_inputs = 3,
                                        .outputs = 1,
                                        .create = create,
                                        .widens_weights = true};

}  // namespace bitpose
