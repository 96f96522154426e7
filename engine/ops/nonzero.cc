// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "engine/model/text.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"

namespace bitpose {
namespace {

/// Writes the coordinates of the elements that are not 0, one column each.
template <typename T>
void write_coordinates(const TensorRef& x, const TensorRef& y) {
  const Shape& shape = x.shape();
  const auto* values = x.as<T>();
  auto* dst = y.mutable_as<int64_t>();
  const size_t columns = y.shape()[1];
  std::fill_n(dst, shape.rank * columns, int64_t{-1});
  std::array<uint32_t, kMaxRank> index{};
  size_t found = 0;
  for (size_t i = 0, n = shape.elements(); i < n; ++i) {
    if (values[i] != T{0}) {
      for (uint32_t axis = 0; axis < shape.rank; ++axis) {
        dst[axis * columns + found] = int64_t{index[axis]};
      }
      ++found;
    }
    for (uint32_t axis = shape.rank; axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

// nonzero: where the elements of x that are not 0 stand, in their order: y[i, k] is the index of
// the k-th of them along axis i, -1 where there are fewer.
//   x   any dtype, rank above 0
//   y   int64 [rank of x, max(2, elements of x)]
class NonzeroOperator final : public Operator {
 public:
  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    const Shape& x = inputs[0].shape;
    OperandChecks checks;
    checks.require(x.rank > 0 && x.elements() <= kMaxElements / kMaxRank,
                   text("operand x has shape ", x, ", expected an axis and fewer elements"));
    if (!checks.ok()) return checks.status();
    outputs[0].shape = {x.rank, std::max(2u, static_cast<uint32_t>(x.elements()))};
    return {};
  }

  void run(const RunArgs& args) const override {
    const TensorRef& x = args.inputs[0];
    switch (x.desc->dtype) {
      case DType::kF32:
        return write_coordinates<float>(x, args.outputs[0]);
      case DType::kS16:
        return write_coordinates<int16_t>(x, args.outputs[0]);
      case DType::kS32:
        return write_coordinates<int32_t>(x, args.outputs[0]);
      case DType::kS64:
        return write_coordinates<int64_t>(x, args.outputs[0]);
      default:
        return write_coordinates<uint8_t>(x, args.outputs[0]);
    }
  }

  bool takes_empty_inputs() const override { return true; }
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("y", args.outputs[0]).dtype({DType::kS64});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<NonzeroOperator>();
  return {};
}

}  // namespace

const OperatorType nonzero_type = {.name = "nonzero",
                                   .fields = {},
                                   .attribute_bytes = 0,
                                   .min_inputs = 1,
                                   .max_inputs = 1,
                                   .outputs = 1,
                                   .create = create};

}  // namespace bitpose
