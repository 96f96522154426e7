// SPDX-License-Identifier: Apache-2.0
#include "engine/model/text.h"
#include "engine/ops/conv_rows.h"
#include "engine/ops/convolution.h"

namespace bitpose {
namespace {

/// Multiply-accumulates that are worth handing to another thread.
constexpr size_t kTaskMacs = 100'000;

// conv2d_s32: 2-D convolution of integers modulo 2^32 in G = C / C' groups. Nothing is packed, so
// the weights may be computed at run time.
//   x        int32 [N,H,W,C]
//   weights  int32 [O,kh,kw,C']; filter o sees the channels of group o / (O / G)
//   y        int32 [N,OH,OW,O]
class Conv2dS32Operator final : public ConvOperator {
 public:
  explicit Conv2dS32Operator(const ConvLayer& layer) : ConvOperator(layer) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    const Shape& weights = inputs[1].shape;
    const Shape expected = {layer().columns, layer().kernel_h, layer().kernel_w,
                            layer().filter_channels};
    if (weights != expected) {
      return invalid_model(text("weights ", weights, " must be ", expected));
    }
    return ConvOperator::reshape(inputs, outputs);
  }

  void run(const RunArgs& args) const override {
    const ConvGeometry g = geometry_of(args.inputs[0].shape());
    const size_t pixel_macs = layer().filter_channels * layer().columns;
    for_each_rows(args.pool, g, 1, pixel_macs, kTaskMacs, [&](const ConvRows& rows, size_t) {
      for (size_t y = rows.first; y < rows.end; ++y) {
        for (size_t x = 0; x < g.output_w; ++x) run_pixel(args, g, rows.picture, y, x);
      }
    });
  }

 private:
  void run_pixel(const RunArgs& args, const ConvGeometry& g, size_t picture, size_t y,
                 size_t x) const {
    const size_t depth = layer().filter_channels, columns = layer().columns;
    const size_t group_columns = columns / layer().groups();
    const auto* input = args.inputs[0].as<uint32_t>();
    const auto* filter = args.inputs[1].as<uint32_t>();
    auto* output = args.outputs[0].mutable_as<uint32_t>() +
                   ((picture * g.output_h + y) * g.output_w + x) * columns;
    for (size_t o = 0; o < columns; ++o) {
      uint32_t acc = 0;
      for (size_t tap = 0; tap < g.taps(); ++tap, filter += depth) {
        // Wraps below zero above and left of the picture, which makes it too large.
        const size_t iy = y * g.stride_h + tap / g.kernel_w * g.dilation_h - g.pad_top;
        const size_t ix = x * g.stride_w + tap % g.kernel_w * g.dilation_w - g.pad_left;
        if (iy >= g.input_h || ix >= g.input_w) continue;
        const uint32_t* pixel = input +
                                ((picture * g.input_h + iy) * g.input_w + ix) * layer().channels +
                                o / group_columns * depth;
        for (size_t c = 0; c < depth; ++c) acc += pixel[c] * filter[c];
      }
      output[o] = acc;
    }
  }
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const ConvLayer layer = dense_layer(args);
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kS32}).rank(4);
  checks.of("weights", args.inputs[1]).dtype({DType::kS32}).rank(4);
  checks.require(args.inputs[1].shape.elements() > 0, "weights must not be empty");
  checks.of("y", args.outputs[0]).dtype({DType::kS32});
  check_groups(layer, checks);
  if (checks.ok()) *op = std::make_unique<Conv2dS32Operator>(layer);
  return checks.status();
}

}  // namespace

const OperatorType conv2d_s32_type = {.name = "conv2d_s32",
                                      .fields = kConvWindowFields,
                                      .attribute_bytes = sizeof(ConvWindow),
                                      .min_inputs = 2,
                                      .max_inputs = 2,
                                      .outputs = 1,
                                      .create = create};

}  // namespace bitpose
