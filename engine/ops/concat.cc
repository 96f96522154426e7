// SPDX-License-Identifier: Apache-2.0
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

// concat: the inputs one after the other along `axis`.
//   x0, x1, ...  any dtype, the same for all; equal shapes but for `axis`
//   y            the same dtype
// Bytes are copied: inputs that differ in scale or zero point are rescaled by a lut_x8 before.
class ConcatOperator final : public Operator {
 public:
  explicit ConcatOperator(const Attributes& attributes) : axis_(attributes.axis) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    OperandChecks checks;
    Shape shape = inputs[0].shape;
    checks.require(axis_ < shape.rank,
                   text("axis ", axis_, " is not below the rank ", shape.rank, " of the inputs"));
    if (!checks.ok()) return checks.status();
    uint64_t extent = 0;
    for (const TensorDesc& input : inputs) {
      shape.dims[axis_] = input.shape.rank == shape.rank ? input.shape[axis_] : 0;
      checks.of("x", input).shape(shape);
      extent += shape[axis_];
    }
    checks.require(extent <= kMaxElements,
                   text("the inputs add up to ", extent, " along axis ", axis_));
    if (!checks.ok()) return checks.status();
    shape.dims[axis_] = 1;
    const uint64_t rows = shape.elements();
    checks.require(rows == 0 || extent <= kMaxElements / rows,
                   "the output has more than 2^31 elements");
    if (!checks.ok()) return checks.status();
    shape.dims[axis_] = static_cast<uint32_t>(extent);
    outputs[0].shape = shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    const TensorRef& output = args.outputs[0];
    const AxisView view(output.shape(), axis_);
    const size_t row = view.extent * view.inner * dtype_bytes(output.desc->dtype);
    if (row == 0) return;
    const size_t grain = items_per_task(kCopyGrain, row);
    parallel_ranges(args.pool, view.outer, grain, [&](size_t begin, size_t end, size_t) {
      auto* dst = output.mutable_as<std::byte>() + begin * row;
      for (const TensorRef& input : args.inputs) {
        const AxisView part(input.shape(), axis_);
        const size_t bytes = part.extent * part.inner * dtype_bytes(output.desc->dtype);
        const auto* src = input.as<std::byte>() + begin * bytes;
        const Runs runs = {end - begin, static_cast<ptrdiff_t>(bytes)};
        copy_runs(dst, static_cast<ptrdiff_t>(row), src, runs, bytes);
        dst += bytes;
      }
    });
  }

  bool takes_empty_inputs() const override { return true; }

 private:
  uint32_t axis_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  for (const TensorDesc& input : args.inputs) checks.of("x", input).dtype({args.inputs[0].dtype});
  checks.of("y", args.outputs[0]).dtype({args.inputs[0].dtype});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<ConcatOperator>(args.as<Attributes>());
  return {};
}

}  // namespace

const OperatorType concat_type = {.name = "concat",
                                  .fields = kFields,
                                  .attribute_bytes = sizeof(Attributes),
                                  .min_inputs = 1,
                                  .max_inputs = 4096,
                                  .outputs = 1,
                                  .create = create};

}  // namespace bitpose
