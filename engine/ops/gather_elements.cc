// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/ops/selection.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

struct Attributes {
  uint32_t axis;
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, axis, 0, kMaxRank - 1),
};

// gather_elements: y(i) is the element of x at the coordinates of i, but indices(i) along `axis`.
//   x        any dtype
//   indices  int32 or int64, the rank of x, nowhere larger than x but along `axis`
//   y        the dtype of x, the shape of indices
class GatherElementsOperator final : public Operator {
 public:
  explicit GatherElementsOperator(const Attributes& attributes) : axis_(attributes.axis) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    outputs[0].shape = inputs[1].shape;
    return check_selection(inputs[0].shape, inputs[1].shape, axis_);
  }

  void run(const RunArgs& args) const override {
    const SelectedElements elements(args.inputs[0].shape(), args.inputs[1].shape(), axis_);
    const Indices indices(args.inputs[1]);
    const size_t bytes = dtype_bytes(args.inputs[0].desc->dtype);
    const auto* src = args.inputs[0].as<std::byte>();
    auto* dst = args.outputs[0].mutable_as<std::byte>();
    const size_t grain = items_per_task(kGrain, elements.columns());
    parallel_ranges(args.pool, elements.rows(), grain, [&](size_t begin, size_t end, size_t) {
      elements.for_each(indices, begin, end, [&](size_t i, size_t offset) {
        copy_bytes(dst + i * bytes, src + offset * bytes, bytes);
      });
    });
  }

  Cost cost(std::span<const TensorDesc> inputs,
            std::span<const TensorDesc> outputs) const override {
    return {outputs[0].shape.elements(), inputs[1].bytes() + 2 * outputs[0].bytes()};
  }

 private:
  // Elements that are worth handing to another thread.
  static constexpr size_t kGrain = 4096;

  uint32_t axis_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("indices", args.inputs[1]).dtype({DType::kS32, DType::kS64});
  checks.of("y", args.outputs[0]).dtype({args.inputs[0].dtype});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<GatherElementsOperator>(args.as<Attributes>());
  return {};
}

}  // namespace

const OperatorType gather_elements_type = {.name = "gather_elements",
                                           .fields = kFields,
                                           .attribute_bytes = sizeof(Attributes),
                                           .min_inputs = 2,
                                           .max_inputs = 2,
                                           .outputs = 1,
                                           .create = create};

}  // namespace bitpose
