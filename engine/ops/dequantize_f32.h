// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

/// What dequantize_qs8_f32 and dequantize_qs16_f32 share.
namespace bitpose {

/// y = float(x - zero point) * scale(x).
///   x   Code, any shape
///   y   float32, the shape of x
template <typename Code, typename Kernel>
class DequantizeF32Operator final : public Operator {
 public:
  DequantizeF32Operator(const Kernel& kernel, const TensorDesc& x)
      : kernel_(kernel), scale_(x.scale), zero_point_(x.zero_point) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    outputs[0].shape = inputs[0].shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    const auto* src = args.inputs[0].as<Code>();
    auto* dst = args.outputs[0].mutable_as<float>();
    parallel_ranges(args.pool, args.outputs[0].shape().elements(), kElementwiseGrain,
                    [&](size_t begin, size_t end, size_t) {
                      kernel_.run(end - begin, src + begin, scale_, zero_point_, dst + begin);
                    });
  }

  const char* kernel_name() const override { return kernel_.name; }

 private:
  const Kernel& kernel_;
  float scale_;
  int32_t zero_point_;
};

template <typename Code, typename Kernel>
Status create_dequantize(const CreateArgs& args, DType dtype, const Kernel& kernel,
                         std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({dtype}).quantized();
  checks.of("y", args.outputs[0]).dtype({DType::kF32});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<DequantizeF32Operator<Code, Kernel>>(kernel, args.inputs[0]);
  return {};
}

}  // namespace bitpose
