// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/operator.h"

#include <string_view>

#include "engine/model/text.h"

namespace bitpose {
namespace {

constexpr const OperatorType* kTypes[] = {
#define OPERATOR(name) &name##_type,
#include "engine/ops/ops.inc"
#undef OPERATOR
};

}  // namespace

Cost Operator::cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const {
  Cost cost;
  for (const TensorDesc& tensor : inputs) cost.bytes += tensor.bytes();
  for (const TensorDesc& tensor : outputs) cost.bytes += tensor.bytes();
  return cost;
}

Status check_empty_inputs(const Operator& op, std::span<const TensorDesc> inputs,
                          std::span<const TensorDesc> outputs) {
  if (op.takes_empty_inputs() || outputs[0].shape.elements() == 0) return {};
  for (const TensorDesc& input : inputs) {
    if (input.shape.elements() > 0) continue;
    return invalid_model(
        text("input '", input.name, "' has no elements: ", input.shape, ", the output has some"));
  }
  return {};
}

std::span<const OperatorType* const> operator_types() { return kTypes; }

const OperatorType* find_operator_type(std::string_view name) {
  for (const OperatorType* type : kTypes) {
    if (name == type->name) return type;
  }
  return nullptr;
}

}  // namespace bitpose
