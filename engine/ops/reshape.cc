// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "engine/model/text.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"

namespace bitpose {
namespace {

/// Two groups of neighbouring axes that hold the same elements: [first, last) of each shape.
struct AxisGroup {
  uint32_t x_first, x_last, y_first, y_last;
};

/// The smallest such groups of two shapes of equally many elements, none of them 0. An axis of
/// extent 1 is with the group in front of it.
class AxisGroups {
 public:
  AxisGroups(const Shape& x, const Shape& y) : x_(x), y_(y) {}

  bool next(AxisGroup* group) {
    if (i_ == x_.rank && k_ == y_.rank) return false;
    *group = {i_, i_, k_, k_};
    uint64_t x = 1, y = 1;
    do {
      if (k_ == y_.rank || (x <= y && i_ < x_.rank)) {
        x *= x_[i_++];
      } else {
        y *= y_[k_++];
      }
    } while (x != y || (i_ < x_.rank && x_[i_] == 1) || (k_ < y_.rank && y_[k_] == 1));
    group->x_last = i_;
    group->y_last = k_;
    return true;
  }

 private:
  const Shape &x_, &y_;
  uint32_t i_ = 0, k_ = 0;
};

// reshape: the elements of x in the same order under the shape of y, which the model states.
//   x, y   any dtype, the same for both; quantization is passed on unchanged
// Where a run's x is smaller than the model's, the outermost axis of y takes the difference in each
// group of axes that hold the same elements: [8, 3, 2] that becomes [8, 6] gives [5, 6] of
// [5, 3, 2], [24] that becomes [8, 3] gives [5, 3] of [15].
class ReshapeOperator final : public Operator {
 public:
  ReshapeOperator(const Shape& x, const Shape& y) : x_(x), y_(y) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    const Shape& from = inputs[0].shape;
    OperandChecks checks;
    checks.require(x_.elements() == y_.elements() && from.rank == x_.rank,
                   text("operand x has shape ", from, ", which cannot become ", y_));
    if (!checks.ok()) return checks.status();
    Shape& shape = outputs[0].shape = y_;
    if (from == x_) return {};
    AxisGroups groups(x_, y_);
    for (AxisGroup group; groups.next(&group);) {
      uint32_t outermost = group.y_first;
      while (outermost < group.y_last && y_[outermost] == 1) ++outermost;
      uint64_t elements = 1, rest = 1;
      for (uint32_t i = group.x_first; i < group.x_last; ++i) elements *= from[i];
      for (uint32_t k = outermost + 1; k < group.y_last; ++k) rest *= y_[k];
      checks.require(
          outermost == group.y_last ? elements == 1 : elements % rest == 0,
          text("operand x has shape ", from, ", which cannot become ", y_, " as ", x_, " does"));
      if (!checks.ok()) return checks.status();
      if (outermost < group.y_last) shape.dims[outermost] = static_cast<uint32_t>(elements / rest);
    }
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
  Shape x_, y_;  // As the model states them.
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("y", args.outputs[0]).dtype({args.inputs[0].dtype});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<ReshapeOperator>(args.inputs[0].shape, args.outputs[0].shape);
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
