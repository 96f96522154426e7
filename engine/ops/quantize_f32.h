// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/ops/scaled_range.h"
#include "engine/runtime/parallel.h"

/// What quantize_f32_qs8 and quantize_f32_qs16 share.
namespace bitpose {

struct QuantizeAttributes {
  int32_t qmin, qmax;
};

/// y = rint(x / scale(y)) + zero point, clamped; NaN becomes qmin.
///   x   float32, any shape
///   y   Code, the shape of x
template <typename Code, typename Kernel>
class QuantizeF32Operator final : public Operator {
 public:
  QuantizeF32Operator(const Kernel& kernel, float scale, const OutputRange& range)
      : kernel_(kernel), scale_(scale), range_(range) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    outputs[0].shape = inputs[0].shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    const auto* src = args.inputs[0].as<float>();
    auto* dst = args.outputs[0].mutable_as<Code>();
    parallel_ranges(args.pool, args.outputs[0].shape().elements(), kElementwiseGrain,
                    [&](size_t begin, size_t end, size_t) {
                      kernel_.run(end - begin, src + begin, scale_, range_, dst + begin);
                    });
  }

  const char* kernel_name() const override { return kernel_.name; }

 private:
  const Kernel& kernel_;
  float scale_;
  OutputRange range_;
};

template <typename Code, typename Kernel>
Status create_quantize(const CreateArgs& args, DType dtype, const Kernel& kernel,
                       std::unique_ptr<Operator>* op) {
  const auto& attributes = args.as<QuantizeAttributes>();
  const TensorDesc& y = args.outputs[0];
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kF32});
  checks.of("y", y).dtype({dtype}).quantized();
  const OutputRange range = output_range(y, attributes.qmin, attributes.qmax, checks);
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<QuantizeF32Operator<Code, Kernel>>(kernel, y.scale, range);
  return {};
}

}  // namespace bitpose
