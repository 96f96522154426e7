// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "engine/model/aligned_buffer.h"
#include "engine/ops/conv_rows.h"
#include "engine/ops/deconvolution.h"
#include "kernels/base/overread.h"
#include "kernels/base/requantize.h"
#include "kernels/dwconv_qs8/dwconv_qs8.h"

namespace bitpose {
namespace {

/// Multiply-accumulates that are worth handing to another thread.
constexpr size_t kTaskMacs = 200'000;

// dwdeconv2d_qs8: depthwise transposed 2-D convolution of 8-bit tensors.
//   x           int8 [N,H,W,C]
//   weights     int8 [kh,kw,C], constant; its zero point may be non-zero
//   bias        int32 [C], constant, in units of scale(x) * scale(weights)
//   multiplier  float32 [C], constant: scale(x) * scale(weights) / scale(y)
//   y           int8 [N,OH,OW,C]
class Dwdeconv2dQs8Operator final : public DeconvOperator {
 public:
  Dwdeconv2dQs8Operator(const CreateArgs& args, const ConvLayer& layer);

  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc> outputs) const override;
  void run(const RunArgs& args) const override;
  size_t packed_bytes() const override;
  const char* kernel_name() const override { return parts_[0].kernel->name; }

 private:
  struct Part {
    const DwconvQs8Kernel* kernel;
    AlignedBuffer packed;
  };

  void run_rows(const RunArgs& args, size_t part, const ConvGeometry& g, const ConvRows& rows,
                std::byte* scratch) const;

  OutputRange range_;
  int8_t input_zero_point_;
  std::vector<Part> parts_;  ///< For each phase.
  std::vector<int8_t> gap_;  ///< A pixel without taps.
};

Dwdeconv2dQs8Operator::Dwdeconv2dQs8Operator(const CreateArgs& args, const ConvLayer& layer)
    : DeconvOperator(layer, args.as<DeconvWindow>()),
      range_{args.outputs[0].zero_point, args.as<DeconvQs8Attributes>().qmin,
             args.as<DeconvQs8Attributes>().qmax},
      input_zero_point_(static_cast<int8_t>(args.inputs[0].zero_point)) {
  const auto* weights = static_cast<const int8_t*>(args.inputs[1].constant);
  const auto* bias = static_cast<const int32_t*>(args.inputs[2].constant);
  const auto* multiplier = static_cast<const float*>(args.inputs[3].constant);
  for (const DeconvPhase& phase : phases()) {
    const std::vector<int8_t> filters = phase.depthwise_filters(weights);
    const DwconvQs8Weights operands{
        layer.channels, phase.layer.kernel_h, phase.layer.kernel_w, filters.data(),
        bias,           multiplier,           input_zero_point_,    args.inputs[1].zero_point};
    const DwconvQs8Kernel& kernel = select_dwconv_qs8(args.isas, prove_dwconv_qs8(operands));
    parts_.push_back({&kernel, AlignedBuffer(packed_dwconv_bytes(kernel, operands))});
    pack_dwconv(kernel, operands, parts_.back().packed.data());
  }
  for (size_t c = 0; c < layer.channels; ++c) {
    gap_.push_back(requantize(bias[c], multiplier[c], range_));
  }
}

size_t Dwdeconv2dQs8Operator::packed_bytes() const {
  size_t bytes = gap_.size();
  for (const Part& part : parts_) bytes += part.packed.size();
  return bytes;
}

size_t Dwdeconv2dQs8Operator::scratch_per_thread(std::span<const TensorDesc> inputs,
                                                 std::span<const TensorDesc> outputs) const {
  const size_t pointers = layer().kernel_h + layer().taps() + 3;
  const size_t padding = size_t{inputs[0].shape[2]} * layer().channels + kOverread;
  const size_t line = size_t{outputs[0].shape[2]} * layer().channels;
  return pointers * sizeof(void*) + padding + line;
}

void Dwdeconv2dQs8Operator::run_rows(const RunArgs& args, size_t part, const ConvGeometry& g,
                                     const ConvRows& rows, std::byte* scratch) const {
  const DeconvPhase& phase = phases()[part];
  const size_t channels = layer().channels;
  const size_t stride_h = layer().window.stride_h, stride_w = layer().window.stride_w;
  const Shape& y = args.outputs[0].shape();
  auto** input_rows = reinterpret_cast<const int8_t**>(scratch);
  const int8_t** taps = input_rows + g.kernel_h;
  auto* padding = reinterpret_cast<int8_t*>(taps + g.taps() + 3);
  int8_t* line = std::fill_n(padding, g.input_w * channels + kOverread, input_zero_point_);
  DwconvQs8Args kernel;
  kernel.channels = channels;
  kernel.kernel_h = g.kernel_h;
  kernel.kernel_w = g.kernel_w;
  kernel.dilation_w = g.dilation_w;
  kernel.pad_left = g.pad_left;
  kernel.input_w = g.input_w;
  kernel.output_w = g.output_w;
  kernel.rows = input_rows;
  kernel.padding = padding;
  kernel.taps = taps;
  kernel.packed = parts_[part].packed.data();
  kernel.dst = line;
  kernel.dst_row_stride = g.output_w * channels;
  kernel.range = range_;
  const auto* input = args.inputs[0].as<int8_t>() + rows.picture * g.input_h * g.input_w * channels;
  auto* output = args.outputs[0].mutable_as<int8_t>() +
                 ((rows.picture * y[1] + phase.first_y) * y[2] + phase.first_x) * channels;
  for (size_t row = rows.first; row < rows.end; ++row) {
    for (size_t i = 0; i < g.kernel_h; ++i) {
      // Wraps below zero above the picture, which makes it too large.
      const size_t iy = row + i * g.dilation_h - g.pad_top;
      input_rows[i] = iy < g.input_h ? input + iy * g.input_w * channels : padding;
    }
    parts_[part].kernel->run(kernel);
    int8_t* pixel = output + row * stride_h * y[2] * channels;
    for (size_t x = 0; x < g.output_w; ++x, pixel += stride_w * channels) {
      std::copy_n(line + x * channels, channels, pixel);
    }
  }
}

void Dwdeconv2dQs8Operator::run(const RunArgs& args) const {
  fill_gaps(args, gap_.data(), gap_.size());
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
  const auto& attributes = args.as<DeconvQs8Attributes>();
  OperandChecks checks;
  check_conv_qs8_operands(layer, 3, args, checks);
  checks.require(attributes.qmin <= attributes.qmax, "qmin must not exceed qmax");
  if (checks.ok()) *op = std::make_unique<Dwdeconv2dQs8Operator>(args, layer);
  return checks.status();
}

}  // namespace

const OperatorType dwdeconv2d_qs8_type = {.name = "dwdeconv2d_qs8",
                                          .fields = kDeconvQs8Fields,
                                          .attribute_bytes = sizeof(DeconvQs8Attributes),
                                          .min_inputs = 4,
                                          .max_inputs = 4,
                                          .outputs = 1,
                                          .create = create};

}  // namespace bitpose
