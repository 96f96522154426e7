// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "engine/model/aligned_buffer.h"
#include "engine/ops/conv_rows.h"
#include "engine/ops/convolution.h"
#include "engine/ops/input_lines.h"
#include "kernels/base/overread.h"
#include "kernels/dwconv_qs16/dwconv_qs16.h"

namespace bitpose {
namespace {

/// Multiply-accumulates that are worth handing to another thread.
constexpr size_t kTaskMacs = 100'000;

// dwconv2d_qs16: depthwise 2-D convolution of 16-bit tensors.
//   x           int16 [N,H,W,C], zero point 0
//   weights     int8 [kh,kw,C], constant, zero point 0; 32768 * sum|w| + |bias| < 2^31 per channel
//   bias        int32 [C], constant, in units of scale(x) * scale(weights)
//   multiplier  float32 [C], constant: scale(x) * scale(weights) / scale(y)
//   y           int8 or int16 [N,OH,OW,C]
class Dwconv2dQs16Operator final : public ConvOperator {
 public:
  Dwconv2dQs16Operator(const CreateArgs& args, const ConvLayer& layer,
                       const DwconvQs8Weights& weights)
      : ConvOperator(layer),
        range_{args.outputs[0].zero_point, args.as<ConvQs8Attributes>().qmin,
               args.as<ConvQs8Attributes>().qmax},
        kernel_(select_dwconv_qs16(args.isas)),
        packed_(packed_dwconv_bytes(kernel_, weights)),
        padding_(layer.channels + kOverread / sizeof(int16_t)) {
    pack_dwconv(kernel_, weights, packed_.data());
  }

  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc>) const override {
    return InputLines::scratch_bytes(geometry_of(inputs[0].shape));
  }
  void run(const RunArgs& args) const override;
  size_t packed_bytes() const override {
    return packed_.size() + padding_.size() * sizeof(int16_t);
  }
  const char* kernel_name() const override { return kernel_.name; }

 private:
  void run_rows(const RunArgs& args, const ConvGeometry& g, const ConvRows& rows,
                std::byte* scratch) const;

  OutputRange range_;
  const DwconvQs16Kernel& kernel_;
  AlignedBuffer packed_;
  std::vector<int16_t> padding_;  ///< A pixel of zeros.
};

void Dwconv2dQs16Operator::run_rows(const RunArgs& args, const ConvGeometry& g,
                                    const ConvRows& rows, std::byte* scratch) const {
  const size_t channels = layer().channels;
  const auto* input =
      args.inputs[0].as<int16_t>() + rows.picture * g.input_h * g.input_w * channels;
  InputLines lines(g, channels * sizeof(int16_t),
                   reinterpret_cast<const std::byte*>(padding_.data()), scratch);
  DwconvQs16Args kernel;
  kernel.channels = channels;
  kernel.kernel_h = g.kernel_h;
  kernel.kernel_w = g.kernel_w;
  kernel.stride_w = lines.stride();
  kernel.packed = packed_.data();
  kernel.narrow = args.outputs[0].desc->dtype == DType::kS8;
  kernel.dst_stride = lines.phases() * channels;
  kernel.range = range_;
  const size_t pixel_bytes = channels * (kernel.narrow ? sizeof(int8_t) : sizeof(int16_t));
  auto* output = args.outputs[0].mutable_as<std::byte>() +
                 rows.picture * g.output_h * g.output_w * pixel_bytes;
  for (size_t phase = 0; phase < lines.phases(); ++phase) {
    kernel.output_w = lines.output_w(phase);
    if (kernel.output_w == 0) break;
    lines.start(reinterpret_cast<const std::byte*>(input), phase);
    for (size_t y = rows.first; y < rows.end; ++y) {
      kernel.lines = reinterpret_cast<const int16_t* const* const*>(lines.row(y));
      kernel.dst = output + (y * g.output_w + phase) * pixel_bytes;
      kernel_.run(kernel);
    }
  }
}

void Dwconv2dQs16Operator::run(const RunArgs& args) const {
  const ConvGeometry g = geometry_of(args.inputs[0].shape());
  for_each_rows(args.pool, g, 1, layer().channels, kTaskMacs,
                [&](const ConvRows& rows, size_t thread) {
                  run_rows(args, g, rows, args.scratch_of(thread));
                });
}

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const ConvLayer layer = depthwise_layer(args);
  Status status = check_conv_qs16(layer, 3, args);
  if (!status.ok()) return status;
  const DwconvQs8Weights weights{.channels = layer.channels,
                                 .kernel_h = layer.kernel_h,
                                 .kernel_w = layer.kernel_w,
                                 .weights = static_cast<const int8_t*>(args.inputs[1].constant),
                                 .bias = static_cast<const int32_t*>(args.inputs[2].constant),
                                 .multiplier = static_cast<const float*>(args.inputs[3].constant)};
  if (!prove_dwconv_qs16(weights)) {
    return invalid_model("32768 sum|w| + |bias| of a channel reaches 2^31");
  }
  *op = std::make_unique<Dwconv2dQs16Operator>(args, layer, weights);
  return {};
}

}  // namespace

const OperatorType dwconv2d_qs16_type = {.name = "dwconv2d_qs16",
                                         .fields = kConvQs16Fields,
                                         .attribute_bytes = sizeof(ConvQs8Attributes),
                                         .min_inputs = 4,
                                         .max_inputs = 4,
                                         .outputs = 1,
                                         .create = create};

}  // namespace bitpose
