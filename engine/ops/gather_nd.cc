// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/ops/selection.h"

namespace bitpose {
namespace {

struct Attributes {
  uint32_t batch_dims;
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, batch_dims, 0, kMaxRank - 1),
};

// gather_nd: y(b..., i..., k...) = x(b..., indices(b..., i..., 0), ..., indices(b..., i..., K - 1),
// k...), with `batch_dims` axes b (see selection.h).
//   x        any dtype, rank batch_dims + K or more
//   indices  int32 or int64 [b..., i..., K], K >= 1
//   y        the dtype of x, shape indices.shape[:-1] + x.shape[batch_dims + K:]
class GatherNdOperator final : public Operator {
 public:
  explicit GatherNdOperator(const Attributes& attributes) : batch_dims_(attributes.batch_dims) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    return gathered_shape(inputs[0].shape, inputs[1].shape, batch_dims_, &outputs[0].shape);
  }

  void run(const RunArgs& args) const override {
    const Shape& x = args.inputs[0].shape();
    const Shape& shape = args.inputs[1].shape();
    const uint32_t depth = shape[shape.rank - 1];
    size_t bytes = dtype_bytes(args.inputs[0].desc->dtype);
    for (uint32_t axis = batch_dims_ + depth; axis < x.rank; ++axis) bytes *= x[axis];
    size_t batches = 1;
    for (uint32_t axis = 0; axis < batch_dims_; ++axis) batches *= x[axis];
    const Indices indices(args.inputs[1]);
    const auto* src = args.inputs[0].as<std::byte>();
    auto* dst = args.outputs[0].mutable_as<std::byte>();
    const size_t rows = shape.elements() / depth;
    for (size_t row = 0; row < rows; ++row) {
      size_t position = row / (rows / batches);
      for (uint32_t i = 0; i < depth; ++i) {
        const uint32_t extent = x[batch_dims_ + i];
        position = position * extent + indices.within(row * depth + i, extent);
      }
      copy_bytes(dst + row * bytes, src + position * bytes, bytes);
    }
  }

  Cost cost(std::span<const TensorDesc> inputs,
            std::span<const TensorDesc> outputs) const override {
    return {inputs[1].shape.elements(), inputs[1].bytes() + 2 * outputs[0].bytes()};
  }

 private:
  uint32_t batch_dims_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("indices", args.inputs[1]).dtype({DType::kS32, DType::kS64});
  checks.of("y", args.outputs[0]).dtype({args.inputs[0].dtype});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<GatherNdOperator>(args.as<Attributes>());
  return {};
}

}  // namespace

const OperatorType gather_nd_type = {.name = "gather_nd",
                                     .fields = kFields,
                                     .attribute_bytes = sizeof(Attributes),
                                     .min_inputs = 2,
                                     .max_inputs = 2,
                                     .outputs = 1,
                                     .create = create};

}  // namespace bitpose
