// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "engine/ops/operands.h"
#include "engine/ops/operator.h"

namespace bitpose {
namespace {

// reshape: the elements of x in the same order under the shape of y, which the model states.
//   x, y   any dtype, the same for both; quantization is passed on unchanged
class ReshapeOperator final : public Operator {
 public:
  explicit ReshapeOperator(const Shape& shape) : shape_(shape) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    const Shape& from = inputs[0].shape;
    OperandChecks checks;
    checks.require(from.elements() == shape_.elements(),
                   "operand x has shape " + from.text() + ", which cannot become " + shape_.text());
    if (!checks.ok()) return checks.status();
    outputs[0].shape = shape_;
    return {};
  }

  // Only where the plan could not make a view of it: x is a constant.
  void run(const RunArgs& args) const override {
    const TensorRef& src = args.inputs[0];
    const TensorRef& dst = args.outputs[0];
    if (dst.data != src.data) std::memcpy(dst.data, src.data, dst.desc->bytes());
  }

  bool is_view() const override { return true; }
  Cost cost(std::span<const TensorDesc>, std::span<const TensorDesc>) const override { return {}; }

 private:
  Shape shape_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("y", args.outputs[0]).dtype({args.inputs[0].dtype});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<ReshapeOperator>(args.outputs[0].shape);
  return {};
}

}  // namespace

const OperatorType reshape_type = {.name = "reshape",
                                   .fields = {},
                                   .attribute_bytes = 0,
                                   .min_inputs = 1,
                                   .max_inputs = 1,
                                   .outputs = 1,
                                   .create = create};

}  // namespace bitpose
