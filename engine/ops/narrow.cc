// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "engine/model/text.h"
#include "engine/ops/axis_view.h"
#include "engine/ops/copy_runs.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

struct Attributes {
  uint32_t axis;
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, axis, 0, kMaxRank - 1),
};

// narrow: the first `length` elements of x along `axis`, none where length is negative, all where
// x has fewer. Where the length is computed, so is the extent of y.
//   x, y     any dtype, the same for both
//   length   one int64
class NarrowOperator final : public Operator {
 public:
  NarrowOperator(uint32_t axis, bool is_view) : axis_(axis), is_view_(is_view) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    Shape shape = inputs[0].shape;
    OperandChecks checks;
    checks.require(axis_ < shape.rank,
                   text("axis ", axis_, " is not below the rank ", shape.rank, " of x"));
    checks.require(inputs[1].shape.elements() == 1,
                   text("operand length has shape ", inputs[1].shape, ", expected one element"));
    if (!checks.ok()) return checks.status();
    if (inputs[1].constant != nullptr) {
      int64_t length;
      std::memcpy(&length, inputs[1].constant, sizeof(length));
      shape.dims[axis_] = static_cast<uint32_t>(std::clamp<int64_t>(length, 0, shape[axis_]));
    }
    outputs[0].shape = shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    const TensorRef& x = args.inputs[0];
    const TensorRef& y = args.outputs[0];
    if (y.data == x.data) return;
    const AxisView from(x.shape(), axis_);
    const size_t row = from.inner * dtype_bytes(x.desc->dtype);
    const size_t kept = y.shape()[axis_] * row;
    const auto block = static_cast<ptrdiff_t>(from.extent * row);
    const auto* src = x.as<std::byte>();
    auto* dst = y.mutable_as<std::byte>();
    const size_t grain = items_per_task(kCopyGrain, kept);
    parallel_ranges(args.pool, from.outer, grain, [&](size_t begin, size_t end, size_t) {
      copy_runs(dst + begin * kept, static_cast<ptrdiff_t>(kept),
                src + static_cast<ptrdiff_t>(begin) * block, {end - begin, block}, kept);
    });
  }

  bool shapes_follow_values() const override { return true; }
  bool is_view() const override { return is_view_; }
  Cost cost(std::span<const TensorDesc>, std::span<const TensorDesc> outputs) const override {
    return {0, is_view_ ? 0 : 2 * outputs[0].bytes()};
  }

 private:
  uint32_t axis_;
  bool is_view_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const uint32_t axis = args.as<Attributes>().axis;
  const Shape& x = args.inputs[0].shape;
  OperandChecks checks;
  checks.of("length", args.inputs[1]).dtype({DType::kS64});
  checks.of("y", args.outputs[0]).dtype({args.inputs[0].dtype});
  if (!checks.ok()) return checks.status();
  // What is kept of a tensor of one block stands at its start.
  bool one_block = true;
  for (uint32_t i = 0; i < std::min(axis, x.rank); ++i) one_block = one_block && x[i] == 1;
  *op = std::make_unique<NarrowOperator>(axis, one_block);
  return {};
}

}  // namespace

const OperatorType narrow_type = {.name = "narrow",
                                  .fields = kFields,
                                  .attribute_bytes = sizeof(Attributes),
                                  .min_inputs = 2,
                                  .max_inputs = 2,
                                  .outputs = 1,
                                  .create = create};

}  // namespace bitpose
