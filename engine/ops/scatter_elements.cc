// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/ops/scatter.h"
#include "engine/ops/selection.h"

namespace bitpose {
namespace {

struct Attributes {
  uint32_t axis;
  uint32_t reduction;  // A ScatterReduction.
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, axis, 0, kMaxRank - 1),
    BITPOSE_FIELD(Attributes, reduction, 0, kLastScatterReduction),
};

// scatter_elements: y = x, but updates(i) goes into the element at the coordinates of i with index
// indices(i) along `axis` (see scatter.h, selection.h).
//   x        any dtype
//   indices  int32 or int64, the rank of x, nowhere larger than x but along `axis`
//   updates  the dtype of x, the shape of indices
//   y        the dtype and shape of x
class ScatterElementsOperator final : public Operator {
 public:
  ScatterElementsOperator(uint32_t axis, ScatterRow* write) : axis_(axis), write_(write) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    outputs[0].shape = inputs[0].shape;
    OperandChecks checks;
    checks.of("updates", inputs[2]).shape(inputs[1].shape);
    if (!checks.ok()) return checks.status();
    return check_selection(inputs[0].shape, inputs[1].shape, axis_);
  }

  void run(const RunArgs& args) const override {
    copy_scattered(args);
    const SelectedElements elements(args.inputs[0].shape(), args.inputs[1].shape(), axis_);
    const size_t bytes = dtype_bytes(args.inputs[0].desc->dtype);
    const auto* updates = args.inputs[2].as<std::byte>();
    auto* dst = args.outputs[0].mutable_as<std::byte>();
    elements.for_each(Indices(args.inputs[1]), 0, elements.rows(), [&](size_t i, size_t offset) {
      write_(dst + offset * bytes, updates + i * bytes, 1);
    });
  }

  int in_place_input() const override { return 0; }

 private:
  uint32_t axis_;
  ScatterRow* write_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto& attributes = args.as<Attributes>();
  const auto reduction = static_cast<ScatterReduction>(attributes.reduction);
  Status status = check_scatter(args, reduction);
  if (!status.ok()) return status;
  *op = std::make_unique<ScatterElementsOperator>(attributes.axis,
                                                  scatter_row(args.inputs[0].dtype, reduction));
  return {};
}

}  // namespace

const OperatorType scatter_elements_type = {.name = "scatter_elements",
                                            .fields = kFields,
                                            .attribute_bytes = sizeof(Attributes),
                                            .min_inputs = 3,
                                            .max_inputs = 3,
                                            .outputs = 1,
                                            .create = create};

}  // namespace bitpose
