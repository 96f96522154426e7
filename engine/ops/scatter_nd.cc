// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/ops/scatter.h"
#include "engine/ops/selection.h"

namespace bitpose {
namespace {

struct Attributes {
  uint32_t reduction;  // A ScatterReduction.
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, reduction, 0, kLastScatterReduction),
};

// scatter_nd: y = x, but updates(i..., k...) goes into y(indices(i..., 0), ..., indices(i..., K -
// 1), k...) (see scatter.h, selection.h).
//   x        any dtype, rank K or more
//   indices  int32 or int64 [i..., K], K >= 1
//   updates  the dtype of x, shape indices.shape[:-1] + x.shape[K:]
//   y        the dtype and shape of x
class ScatterNdOperator final : public Operator {
 public:
  explicit ScatterNdOperator(ScatterRow* write) : write_(write) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    outputs[0].shape = inputs[0].shape;
    Shape shape;
    Status status = gathered_shape(inputs[0].shape, inputs[1].shape, 0, &shape);
    if (!status.ok()) return status;
    OperandChecks checks;
    checks.of("updates", inputs[2]).shape(shape);
    return checks.status();
  }

  void run(const RunArgs& args) const override {
    copy_scattered(args);
    const Shape& x = args.inputs[0].shape();
    const Shape& shape = args.inputs[1].shape();
    const uint32_t depth = shape[shape.rank - 1];
    size_t n = 1;
    for (uint32_t axis = depth; axis < x.rank; ++axis) n *= x[axis];
    const Indices indices(args.inputs[1]);
    const size_t bytes = n * dtype_bytes(args.inputs[0].desc->dtype);
    const auto* updates = args.inputs[2].as<std::byte>();
    auto* dst = args.outputs[0].mutable_as<std::byte>();
    const size_t rows = shape.elements() / depth;
    for (size_t row = 0; row < rows; ++row) {
      size_t position = 0;
      for (uint32_t axis = 0; axis < depth; ++axis) {
        position = position * x[axis] + indices.within(row * depth + axis, x[axis]);
      }
      write_(dst + position * bytes, updates + row * bytes, n);
    }
  }

  int in_place_input() const override { return 0; }

 private:
  ScatterRow* write_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto reduction = static_cast<ScatterReduction>(args.as<Attributes>().reduction);
  Status status = check_scatter(args, reduction);
  if (!status.ok()) return status;
  *op = std::make_unique<ScatterNdOperator>(scatter_row(args.inputs[0].dtype, reduction));
  return {};
}

}  // namespace

const OperatorType scatter_nd_type = {.name = "scatter_nd",
                                      .fields = kFields,
                                      .attribute_bytes = sizeof(Attributes),
                                      .min_inputs = 3,
                                      .max_inputs = 3,
                                      .outputs = 1,
                                      .create = create};

}  // namespace bitpose
