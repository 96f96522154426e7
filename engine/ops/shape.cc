// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"

namespace bitpose {
namespace {

// shape: the extents of x, as they are in a run.
//   x   any dtype, rank above 0
//   y   int64 [rank of x]
class ShapeOperator final : public Operator {
 public:
  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    OperandChecks checks;
    checks.require(inputs[0].shape.rank > 0, "operand x has no axis");
    outputs[0].shape = {inputs[0].shape.rank};
    return checks.status();
  }

  void run(const RunArgs& args) const override {
    const Shape& x = args.inputs[0].shape();
    auto* y = args.outputs[0].mutable_as<int64_t>();
    for (uint32_t axis = 0; axis < x.rank; ++axis) y[axis] = int64_t{x[axis]};
  }

  bool takes_empty_inputs() const override { return true; }
  Cost cost(std::span<const TensorDesc>, std::span<const TensorDesc> outputs) const override {
    return {0, outputs[0].bytes()};
  }
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("y", args.outputs[0]).dtype({DType::kS64});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<ShapeOperator>();
  return {};
}

}  // namespace

const OperatorType shape_type = {.name = "shape",
                                 .fields = {},
                                 .attribute_bytes = 0,
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .outputs = 1,
                                 .create = create};

}  // namespace bitpose
