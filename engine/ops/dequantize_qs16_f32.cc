// SPDX-License-Identifier: Apache-2.0
#include "kernels/dequantize_qs16_f32/dequantize_qs16_f32.h"

#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

// dequantize_qs16_f32: y = float(x - zero point) * scale(x).
//   x   int16, any shape
//   y   float32, the shape of x
class DequantizeQs16F32Operator final : public Operator {
 public:
  DequantizeQs16F32Operator(const TensorDesc& x, isa::Set isas)
      : kernel_(select_dequantize_qs16_f32(isas)), scale_(x.scale), zero_point_(x.zero_point) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    outputs[0].shape = inputs[0].shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    const auto* src = args.inputs[0].as<int16_t>();
    auto* dst = args.outputs[0].mutable_as<float>();
    parallel_ranges(args.pool, args.outputs[0].shape().elements(), kElementwiseGrain,
                    [&](size_t begin, size_t end, size_t) {
                      kernel_.run(end - begin, src + begin, scale_, zero_point_, dst + begin);
                    });
  }

  const char* kernel_name() const override { return kernel_.name; }

 private:
  const DequantizeQs16F32Kernel& kernel_;
  float scale_;
  int32_t zero_point_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kS16}).quantized();
  checks.of("y", args.outputs[0]).dtype({DType::kF32});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<DequantizeQs16F32Operator>(args.inputs[0], args.isas);
  return {};
}

}  // namespace

const OperatorType dequantize_qs16_f32_type = {.name = "dequantize_qs16_f32",
                                               .fields = {},
                                               .attribute_bytes = 0,
                                               .min_inputs = 1,
                                               .max_inputs = 1,
                                               .outputs = 1,
                                               .create = create};

}  // namespace bitpose
