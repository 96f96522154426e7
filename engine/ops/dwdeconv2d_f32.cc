// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "engine/model/aligned_buffer.h"
#include "engine/ops/conv_rows.h"
#include "engine/ops/deconvolution.h"
#include "engine/ops/input_lines.h"
#include "kernels/base/clamp.h"
#include "kernels/base/overread.h"
#include "kernels/dwconv_f32/dwconv_f32.h"

namespace bitpose {
namespace {

/// Multiply-accumulates that are worth handing to another thread.
constexpr size_t kTaskMacs = 64 * 1024;

// dwdeconv2d_f32: transposed 2-D convolution of floats, each channel with a filter of its own. An
// output adds its taps last tap first, so that the inputs under them are in the order of memory.
//   x        float32 [N,H,W,C]
//   weights  float32 [kh,kw,C], constant
//   bias     float32 [C], constant
//   y        float32 [N,OH,OW,C]
class Dwdeconv2dF32Operator final : public DeconvOperator {
 public:
  Dwdeconv2dF32Operator(const CreateArgs& args, const ConvLayer& layer);

  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc> outputs) const override;
  void run(const RunArgs& args) const override;
  size_t packed_bytes() const override;
  const char* kernel_name() const override { return kernel_.name; }

 private:
  void run_rows(const RunArgs& args, size_t part, const ConvGeometry& g, const ConvRows& rows,
                std::byte* scratch) const;

  float fmin_, fmax_;
  const DwconvF32Kernel& kernel_;
  std::vector<AlignedBuffer> packed_;  ///< For each phase.
  std::vector<float> padding_;         ///< A pixel of zeros.
  std::vector<float> gap_;             ///< A pixel without taps.
};

Dwdeconv2dF32Operator::Dwdeconv2dF32Operator(const CreateArgs& args, const ConvLayer& layer)
    : DeconvOperator(layer, args.as<DeconvWindow>()),
      fmin_(args.as<DeconvF32Attributes>().fmin),
      fmax_(args.as<DeconvF32Attributes>().fmax),
      kernel_(select_dwconv_f32(args.isas)),
      padding_(layer.channels + kOverread / sizeof(float)) {
  const auto* weights = static_cast<const float*>(args.inputs[1].constant);
  const auto* bias = static_cast<const float*>(args.inputs[2].constant);
  for (const DeconvPhase& phase : phases()) {
    const std::vector<float> filters = phase.depthwise_filters(weights);
    const DwconvF32Weights operands{layer.channels, phase.taps.size(), filters.data(), bias};
    packed_.emplace_back(packed_dwconv_bytes(kernel_, operands));
    pack_dwconv(kernel_, operands, reinterpret_cast<float*>(packed_.back().data()));
  }
  for (size_t c = 0; c < layer.channels; ++c) gap_.push_back(clamp(bias[c], fmin_, fmax_));
}

size_t Dwdeconv2dF32Operator::packed_bytes() const {
  size_t bytes = (padding_.size() + gap_.size()) * sizeof(float);
  for (const AlignedBuffer& packed : packed_) bytes += packed.size();
  return bytes;
}

size_t Dwdeconv2dF32Operator::scratch_per_thread(std::span<const TensorDesc> inputs,
                                                 std::span<const TensorDesc> outputs) const {
  size_t bytes = 0;
  for (const DeconvPhase& phase : phases()) {
    const ConvGeometry g = geometry_of(phase, inputs[0].shape, outputs[0].shape);
    if (g.pixels() != 0) bytes = std::max(bytes, InputLines::scratch_bytes(g));
  }
  return bytes;
}

void Dwdeconv2dF32Operator::run_rows(const RunArgs& args, size_t part, const ConvGeometry& g,
                                     const ConvRows& rows, std::byte* scratch) const {
  const DeconvPhase& phase = phases()[part];
  const size_t channels = layer().channels;
  const size_t stride_h = layer().window.stride_h, stride_w = layer().window.stride_w;
  const Shape& y = args.outputs[0].shape();
  const auto* input = args.inputs[0].as<float>() + rows.picture * g.input_h * g.input_w * channels;
  auto* output = args.outputs[0].mutable_as<float>() +
                 ((rows.picture * y[1] + phase.first_y) * y[2] + phase.first_x) * channels;
  InputLines lines(g, channels * sizeof(float), reinterpret_cast<const std::byte*>(padding_.data()),
                   scratch);
  DwconvF32Args kernel;
  kernel.channels = channels;
  kernel.kernel_h = g.kernel_h;
  kernel.kernel_w = g.kernel_w;
  kernel.stride_w = lines.stride();
  kernel.packed = reinterpret_cast<const float*>(packed_[part].data());
  kernel.dst_stride = lines.phases() * stride_w * channels;
  kernel.fmin = fmin_;
  kernel.fmax = fmax_;
  // A dilated filter has phases of its own.
  for (size_t column = 0; column < lines.phases(); ++column) {
    kernel.output_w = lines.output_w(column);
    if (kernel.output_w == 0) break;
    lines.start(reinterpret_cast<const std::byte*>(input), column);
    for (size_t row = rows.first; row < rows.end; ++row) {
      kernel.lines = reinterpret_cast<const float* const* const*>(lines.row(row));
      kernel.dst = output + (row * stride_h * y[2] + column * stride_w) * channels;
      kernel_.run(kernel);
    }
  }
}

void Dwdeconv2dF32Operator::run(const RunArgs& args) const {
  fill_gaps(args, gap_.data(), gap_.size() * sizeof(float));
  for (size_t part = 0; part < phases().size(); ++part) {
    const ConvGeometry g =
        geometry_of(phases()[part], args.inputs[0].shape(), args.outputs[0].shape());
    if (g.pixels() == 0) continue;
    for_each_rows(args.pool, g, 1, layer().channels, kTaskMacs,
                  [&](const ConvRows& rows, size_t thread) {
                    run_rows(args, part, g, rows, args.scratch_of(thread));
                  });
  }
}

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const ConvLayer layer = depthwise_layer(args);
  const auto& attributes = args.as<DeconvF32Attributes>();
  OperandChecks checks;
  check_conv_f32_operands(layer, 3, args, checks);
  checks.require(attributes.fmin <= attributes.fmax, "fmin must not exceed fmax");
  if (checks.ok()) *op = std::make_unique<Dwdeconv2dF32Operator>(args, layer);
  return checks.status();
}

}  // namespace

const OperatorType dwdeconv2d_f32_type = {.name = "dwdeconv2d_f32",
                                          .fields = kDeconvF32Fields,
                                          .attribute_bytes = sizeof(DeconvF32Attributes),
                                          .min_inputs = 3,
                                          .max_inputs = 3,
                                          .outputs = 1,
                                          .create = create,
                                          .widens_weights = true};

}  // namespace bitpose
