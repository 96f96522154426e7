// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/operands.h"
#include "engine/ops/resampling.h"
#include "kernels/resize_f32/resize_f32.h"

namespace bitpose {
namespace {

// resize2d_f32: bilinear resize (kernels/resize_f32/resize_f32.h).
//   x   float32 [N,H,W,C]
//   y   float32 [N,output_h,output_w,C]
class Resize2dF32Operator final : public ResizeOperator<ResizeF32Column> {
 public:
  Resize2dF32Operator(const ResizeAttributes& attributes, isa::Set isas)
      : ResizeOperator(attributes), kernel_(select_resize_f32(isas)) {}

  void run(const RunArgs& args) const override {
    const Shape& x = args.inputs[0].shape();
    const uint32_t channels = x[3];
    const size_t src_row = size_t{x[2]} * channels;
    const size_t columns_count = args.outputs[0].shape()[2];
    const auto* src = args.inputs[0].as<float>();
    auto* dst = args.outputs[0].mutable_as<float>();
    const auto make_column = [&](const ResizePoint& point) {
      return ResizeF32Column{point.low * channels, point.high * channels, point.fraction};
    };
    for_each_row(args, make_column, [&](const ResizeF32Column* columns, const Row& row) {
      kernel_.run({.n = columns_count,
                   .kc = channels,
                   .top = src + row.top * src_row,
                   .bottom = src + row.bottom * src_row,
                   .columns = columns,
                   .bottom_weight = row.fraction,
                   .dst = dst + row.output * columns_count * channels});
    });
  }

  const char* kernel_name() const override { return kernel_.name; }

 private:
  const ResizeF32Kernel& kernel_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kF32}).rank(4);
  checks.of("y", args.outputs[0]).dtype({DType::kF32});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<Resize2dF32Operator>(args.as<ResizeAttributes>(), args.isas);
  return {};
}

}  // namespace

const OperatorType resize2d_f32_type = {.name = "resize2d_f32",
                                        .fields = kResizeFields,
                                        .attribute_bytes = sizeof(ResizeAttributes),
                                        .min_inputs = 1,
                                        .max_inputs = 1,
                                        .outputs = 1,
                                        .create = create};

}  // namespace bitpose
