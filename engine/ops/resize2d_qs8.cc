// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/operands.h"
#include "engine/ops/resampling.h"
#include "kernels/resize_qs8/resize_qs8.h"

namespace bitpose {
namespace {

struct Attributes {
  ResizeAttributes resize;
  int32_t qmin, qmax;
};

constexpr auto kFields = join_fields(
    kResizeFields, {BITPOSE_CODE_FIELD(Attributes, qmin), BITPOSE_CODE_FIELD(Attributes, qmax)});

/// Of two neighbours on an axis.
struct Weights {
  float low, high;
};

/// At the last input both neighbours are that input, and both weigh 0.5 as onnxruntime has it: the
/// roundings differ from those of 1 and 0.
Weights weights(size_t low, size_t high, float fraction) {
  if (low == high) return {0.5f, 0.5f};
  return {1.0f - fraction, fraction};
}

// resize2d_qs8: bilinear resize in float32 between codes (kernels/resize_qs8/resize_qs8.h).
//   x   int8 [N,H,W,C]
//   y   int8 [N,output_h,output_w,C]
class Resize2dQs8Operator final : public ResizeOperator<ResizeQs8Column> {
 public:
  Resize2dQs8Operator(const CreateArgs& args, const OutputRange& range)
      : ResizeOperator(args.as<Attributes>().resize), kernel_(select_resize_qs8(args.isas)) {
    args_.zero_point = args.inputs[0].zero_point;
    args_.x_scale = args.inputs[0].scale;
    args_.y_scale = args.outputs[0].scale;
    args_.range = range;
  }

  void run(const RunArgs& args) const override {
    const Shape& x = args.inputs[0].shape();
    const uint32_t channels = x[3];
    const size_t src_row = size_t{x[2]} * channels;
    const size_t columns_count = args.outputs[0].shape()[2];
    const auto* src = args.inputs[0].as<int8_t>();
    auto* dst = args.outputs[0].mutable_as<int8_t>();
    const auto make_column = [&](const ResizePoint& point) {
      const Weights column = weights(point.low, point.high, point.fraction);
      return ResizeQs8Column{point.low * channels, point.high * channels, column.low, column.high};
    };
    for_each_row(args, make_column, [&](const ResizeQs8Column* columns, const Row& row) {
      ResizeQs8Args kernel_args = args_;
      kernel_args.n = columns_count;
      kernel_args.kc = channels;
      kernel_args.top = src + row.top * src_row;
      kernel_args.bottom = src + row.bottom * src_row;
      kernel_args.columns = columns;
      const Weights vertical = weights(row.top, row.bottom, row.fraction);
      kernel_args.top_weight = vertical.low;
      kernel_args.bottom_weight = vertical.high;
      kernel_args.dst = dst + row.output * columns_count * channels;
      kernel_.run(kernel_args);
    });
  }

  const char* kernel_name() const override { return kernel_.name; }

 private:
  const ResizeQs8Kernel& kernel_;
  ResizeQs8Args args_;  ///< What is the same for all rows.
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto& attributes = args.as<Attributes>();
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kS8}).rank(4).quantized();
  checks.of("y", args.outputs[0]).dtype({DType::kS8}).quantized();
  const OutputRange range = output_range(args.outputs[0], attributes.qmin, attributes.qmax, checks);
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<Resize2dQs8Operator>(args, range);
  return {};
}

}  // namespace

const OperatorType resize2d_qs8_type = {.name = "resize2d_qs8",
                                        .fields = kFields,
                                        .attribute_bytes = sizeof(Attributes),
                                        .min_inputs = 1,
                                        .max_inputs = 1,
                                        .outputs = 1,
                                        .create = create};

}  // namespace bitpose
