// SPDX-License-Identifier: Apache-2.0
#include "kernels/unary_f32/unary_f32.h"

#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

// unary_f32: y(i) = function(x(i)), the functions of kernels/unary_f32/unary_f32.h.
//   x, y   float32, equal shapes
struct Attributes {
  uint32_t function;
  float alpha, beta;  ///< Parameters of functions that have some; 0 for others.
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, function, 0, kUnaryFunctions - 1),
    BITPOSE_FIELD(Attributes, alpha, -kUnbounded, kUnbounded),
    BITPOSE_FIELD(Attributes, beta, -kUnbounded, kUnbounded),
};

class UnaryF32Operator final : public Operator {
 public:
  UnaryF32Operator(const Attributes& attributes, isa::Set isas)
      : kernel_(select_unary_f32(isas)), attributes_(attributes) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    outputs[0].shape = inputs[0].shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    const auto* src = args.inputs[0].as<float>();
    auto* dst = args.outputs[0].mutable_as<float>();
    const auto function = static_cast<UnaryFunction>(attributes_.function);
    parallel_ranges(args.pool, args.outputs[0].shape().elements(), kGrain,
                    [&](size_t begin, size_t end, size_t) {
                      kernel_.run(function, attributes_.alpha, attributes_.beta, end - begin,
                                  src + begin, dst + begin);
                    });
  }

  int in_place_input() const override { return 0; }
  const char* kernel_name() const override { return kernel_.name; }

  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc>) const override {
    return {kProducts * inputs[0].shape.elements(), 2 * inputs[0].bytes()};
  }

 private:
  // Elements that are worth handing to another thread.
  static constexpr size_t kGrain = 8192;
  // Products per element of a function like sigmoid.
  static constexpr uint64_t kProducts = 12;

  const UnaryF32Kernel& kernel_;
  Attributes attributes_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kF32});
  checks.of("y", args.outputs[0]).dtype({DType::kF32});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<UnaryF32Operator>(args.as<Attributes>(), args.isas);
  return {};
}

}  // namespace

const OperatorType unary_f32_type = {.name = "unary_f32",
                                     .fields = kFields,
                                     .attribute_bytes = sizeof(Attributes),
                                     .min_inputs = 1,
                                     .max_inputs = 1,
                                     .outputs = 1,
                                     .create = create};

}  // namespace bitpose
