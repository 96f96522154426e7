// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/model/aligned_buffer.h"
#include "engine/ops/conv_rows.h"
#include "engine/ops/convolution.h"
#include "kernels/base/overread.h"
#include "kernels/dwconv_qs8/dwconv_qs8.h"

namespace bitpose {
namespace {

/// Multiply-accumulates that are worth handing to another thread.
constexpr size_t kTaskMacs = 200'000;

// dwconv2d_qs8: depthwise 2-D convolution of 8-bit tensors.
//   x           int8 [N,H,W,C]
//   weights     int8 [kh,kw,C], constant; its zero point may be non-zero
//   bias        int32 [C], constant, in units of scale(x) * scale(weights)
//   multiplier  float32 [C], constant: scale(x) * scale(weights) / scale(y)
//   y           int8 [N,OH,OW,C]
class Dwconv2dQs8Operator final : public ConvOperator {
 public:
  Dwconv2dQs8Operator(const CreateArgs& args, const ConvLayer& layer);

  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc> outputs) const override;
  void run(const RunArgs& args) const override;
  size_t packed_bytes() const override { return packed_.size(); }
  const char* kernel_name() const override { return kernel_->name; }

 private:
  /// Output rows of one kernel call: two share their input where it is worth it.
  size_t rows_at_once(const ConvGeometry& g) const {
    return g.stride_h == 1 && g.dilation_h == 1 ? kernel_->output_rows : 1;
  }
  void run_rows(const RunArgs& args, const ConvGeometry& g, const ConvRows& rows,
                std::byte* scratch) const;

  OutputRange range_;
  int8_t input_zero_point_;
  const DwconvQs8Kernel* kernel_;
  AlignedBuffer packed_;
};

Dwconv2dQs8Operator::Dwconv2dQs8Operator(const CreateArgs& args, const ConvLayer& layer)
    : ConvOperator(layer), input_zero_point_(static_cast<int8_t>(args.inputs[0].zero_point)) {
  const auto& attributes = args.as<ConvQs8Attributes>();
  range_ = {args.outputs[0].zero_point, attributes.qmin, attributes.qmax};
  const DwconvQs8Weights weights{layer.channels,
                                 layer.kernel_h,
                                 layer.kernel_w,
                                 static_cast<const int8_t*>(args.inputs[1].constant),
                                 static_cast<const int32_t*>(args.inputs[2].constant),
                                 static_cast<const float*>(args.inputs[3].constant),
                                 input_zero_point_,
                                 args.inputs[1].zero_point};
  kernel_ = &select_dwconv_qs8(args.isas, prove_dwconv_qs8(weights));
  packed_ = AlignedBuffer(packed_dwconv_bytes(*kernel_, weights));
  pack_dwconv(*kernel_, weights, packed_.data());
}

size_t Dwconv2dQs8Operator::scratch_per_thread(std::span<const TensorDesc> inputs,
                                               std::span<const TensorDesc>) const {
  const size_t pointers = layer().kernel_h + 1 + layer().taps() + 3;
  const size_t padding = size_t{inputs[0].shape[2]} * layer().channels + kOverread;
  return pointers * sizeof(void*) + padding;
}

void Dwconv2dQs8Operator::run_rows(const RunArgs& args, const ConvGeometry& g, const ConvRows& rows,
                                   std::byte* scratch) const {
  const size_t channels = layer().channels;
  auto** input_rows = reinterpret_cast<const int8_t**>(scratch);
  const int8_t** taps = input_rows + g.kernel_h + 1;
  auto* padding = reinterpret_cast<int8_t*>(taps + g.taps() + 3);
  std::fill_n(padding, g.input_w * channels + kOverread, input_zero_point_);
  DwconvQs8Args kernel;
  kernel.channels = channels;
  kernel.kernel_h = g.kernel_h;
  kernel.kernel_w = g.kernel_w;
  kernel.stride_w = g.stride_w;
  kernel.dilation_w = g.dilation_w;
  kernel.pad_left = g.pad_left;
  kernel.input_w = g.input_w;
  kernel.output_w = g.output_w;
  kernel.rows = input_rows;
  kernel.padding = padding;
  kernel.taps = taps;
  kernel.packed = packed_.data();
  kernel.dst_row_stride = g.output_w * channels;
  kernel.range = range_;
  const auto* input = args.inputs[0].as<int8_t>() + rows.picture * g.input_h * g.input_w * channels;
  auto* output =
      args.outputs[0].mutable_as<int8_t>() + rows.picture * g.output_h * kernel.dst_row_stride;
  for (size_t y = rows.first; y < rows.end; y += kernel.output_rows) {
    kernel.output_rows = std::min(rows_at_once(g), rows.end - y);
    for (size_t i = 0; i < g.kernel_h + kernel.output_rows - 1; ++i) {
      // Wraps below zero above the picture, which makes it too large.
      const size_t iy = y * g.stride_h + i * g.dilation_h - g.pad_top;
      input_rows[i] = iy < g.input_h ? input + iy * g.input_w * channels : padding;
    }
    kernel.dst = output + y * kernel.dst_row_stride;
    kernel_->run(kernel);
  }
}

void Dwconv2dQs8Operator::run(const RunArgs& args) const {
  const ConvGeometry g = geometry_of(args.inputs[0].shape());
  for_each_rows(args.pool, g, rows_at_once(g), layer().channels, kTaskMacs,
                [&](const ConvRows& rows, size_t thread) {
                  run_rows(args, g, rows, args.scratch_of(thread));
                });
}

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const ConvLayer layer = depthwise_layer(args);
  Status status = check_conv_qs8(layer, 3, args);
  if (status.ok()) *op = std::make_unique<Dwconv2dQs8Operator>(args, layer);
  return status;
}

}  // namespace

const OperatorType dwconv2d_qs8_type = {.name = "dwconv2d_qs8",
                                        .fields = kConvQs8Fields,
                                        .attribute_bytes = sizeof(ConvQs8Attributes),
                                        .min_inputs = 4,
                                        .max_inputs = 4,
                                        .outputs = 1,
                                        .create = create};

}  // namespace bitpose
