// SPDX-License-Identifier: Apache-2.0
#include "kernels/quantize_f32_qs16/quantize_f32_qs16.h"

#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/ops/scaled_range.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

struct Attributes {
  int32_t qmin, qmax;
};

constexpr Field kFields[] = {
    BITPOSE_CODE16_FIELD(Attributes, qmin),
    BITPOSE_CODE16_FIELD(Attributes, qmax),
};

// quantize_f32_qs16: y = rint(x / scale(y)) + zero point, clamped; NaN becomes qmin
// (kernels/quantize_f32_qs16/quantize_f32_qs16.h).
//   x   float32, any shape
//   y   int16, the shape of x
class QuantizeF32Qs16Operator final : public Operator {
 public:
  QuantizeF32Qs16Operator(float scale, const OutputRange& range, isa::Set isas)
      : kernel_(select_quantize_f32_qs16(isas)), scale_(scale), range_(range) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    outputs[0].shape = inputs[0].shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    const auto* src = args.inputs[0].as<float>();
    auto* dst = args.outputs[0].mutable_as<int16_t>();
    parallel_ranges(args.pool, args.outputs[0].shape().elements(), kElementwiseGrain,
                    [&](size_t begin, size_t end, size_t) {
                      kernel_.run(end - begin, src + begin, scale_, range_, dst + begin);
                    });
  }

  const char* kernel_name() const override { return kernel_.name; }

 private:
  const QuantizeF32Qs16Kernel& kernel_;
  float scale_;
  OutputRange range_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto& attributes = args.as<Attributes>();
  const TensorDesc& y = args.outputs[0];
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kF32});
  checks.of("y", y).dtype({DType::kS16}).quantized();
  const OutputRange range = output_range(y, attributes.qmin, attributes.qmax, checks);
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<QuantizeF32Qs16Operator>(y.scale, range, args.isas);
  return {};
}

}  // namespace

const OperatorType quantize_f32_qs16_type = {.name = "quantize_f32_qs16",
                                             .fields = kFields,
                                             .attribute_bytes = sizeof(Attributes),
                                             .min_inputs = 1,
                                             .max_inputs = 1,
                                             .outputs = 1,
                                             .create = create};

}  // namespace bitpose
