// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

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
  uint32_t start;
  uint32_t length;
  int32_t step;
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, axis, 0, kMaxRank - 1),
    BITPOSE_FIELD(Attributes, start, 0, kMaxElements),
    BITPOSE_FIELD(Attributes, length, 1, kMaxElements),
    BITPOSE_FIELD(Attributes, step, -double{kMaxElements} + 1, kMaxElements - 1),
};

// slice: the elements start, start + step, ... of x along `axis`, `length` of them, or as many as
// there are before the end of x.
//   x, y   any dtype, the same for both
class SliceOperator final : public Operator {
 public:
  explicit SliceOperator(const Attributes& attributes) : attributes_(attributes) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    const auto [axis, start, length, step] = attributes_;
    Shape shape = inputs[0].shape;
    OperandChecks checks;
    checks.require(axis < shape.rank,
                   text("axis ", axis, " is not below the rank ", shape.rank, " of x"));
    if (!checks.ok()) return checks.status();
    const int64_t last = int64_t{start} + (int64_t{length} - 1) * step;
    checks.require(last >= 0 && (step > 0 || length == 1 || start < shape[axis]),
                   text("elements ", start, " to ", last, " are not within the ", shape[axis],
                        " of axis ", axis));
    if (!checks.ok()) return checks.status();
    shape.dims[axis] = length_within(shape[axis]);
    outputs[0].shape = shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    const TensorRef& output = args.outputs[0];
    const AxisView from(args.inputs[0].shape(), attributes_.axis);
    const size_t inner = from.inner * dtype_bytes(output.desc->dtype);
    const size_t count = output.shape()[attributes_.axis];
    const size_t length = count * inner;  // Of what becomes of a block.
    const auto step = attributes_.step * static_cast<ptrdiff_t>(inner);
    const auto block = static_cast<ptrdiff_t>(from.extent * inner);
    const auto* src = args.inputs[0].as<std::byte>() + attributes_.start * inner;
    auto* dst = output.mutable_as<std::byte>();
    const size_t grain = items_per_task(kCopyGrain, length);
    parallel_ranges(args.pool, from.outer, grain, [&](size_t begin, size_t end, size_t) {
      const std::byte* row = src + static_cast<ptrdiff_t>(begin) * block;
      std::byte* to = dst + begin * length;
      if (attributes_.step == 1 || count == 1) {
        copy_runs(to, static_cast<ptrdiff_t>(length), row, {end - begin, block}, length);
        return;
      }
      for (size_t i = begin; i < end; ++i, row += block, to += length) {
        copy_runs(to, static_cast<ptrdiff_t>(inner), row, {count, step}, inner);
      }
    });
  }

  Cost cost(std::span<const TensorDesc>, std::span<const TensorDesc> outputs) const override {
    return {0, 2 * outputs[0].bytes()};
  }

 private:
  /// How many elements an axis of that extent has from `start` on, `step` apart; at most `length`.
  uint32_t length_within(uint32_t extent) const {
    const auto [axis, start, length, step] = attributes_;
    if (start >= extent) return 0;
    if (step <= 0) return length;
    return std::min(length, (extent - 1 - start) / static_cast<uint32_t>(step) + 1);
  }

  Attributes attributes_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("y", args.outputs[0]).dtype({args.inputs[0].dtype});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<SliceOperator>(args.as<Attributes>());
  return {};
}

}  // namespace

const OperatorType slice_type = {.name = "slice",
                                 .fields = kFields,
                                 .attribute_bytes = sizeof(Attributes),
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .outputs = 1,
                                 .create = create};

}  // namespace bitpose
