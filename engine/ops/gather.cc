// SPDX-License-Identifier: Apache-2.0
#include "engine/model/text.h"
#include "engine/ops/axis_view.h"
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

// gather: element i of y along `axis` is element indices(i) of x (see selection.h).
//   x        any dtype
//   indices  int32 or int64 [n]
//   y        the dtype of x; its shape with n along `axis`
// Indices that follow each other are one copy.
class GatherOperator final : public Operator {
 public:
  explicit GatherOperator(const Attributes& attributes) : axis_(attributes.axis) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    Shape shape = inputs[0].shape;
    OperandChecks checks;
    checks.of("indices", inputs[1]).rank(1);
    checks.require(axis_ < shape.rank,
                   text("axis ", axis_, " is not below the rank ", shape.rank, " of x"));
    if (!checks.ok()) return checks.status();
    shape.dims[axis_] = 1;
    const uint64_t rows = shape.elements();
    const uint32_t n = inputs[1].shape[0];
    checks.require(rows == 0 || n <= kMaxElements / rows, "the output has more than 2^31 elements");
    if (!checks.ok()) return checks.status();
    shape.dims[axis_] = n;
    outputs[0].shape = shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    const AxisView from(args.inputs[0].shape(), axis_);
    const size_t n = args.inputs[1].shape()[0];
    const size_t bytes = from.inner * dtype_bytes(args.inputs[0].desc->dtype);
    const Indices indices(args.inputs[1]);
    const auto* src = args.inputs[0].as<std::byte>();
    auto* dst = args.outputs[0].mutable_as<std::byte>();
    if (bytes == 0) return;
    const size_t grain = items_per_task(kCopyGrain, bytes);
    parallel_ranges(args.pool, from.outer * n, grain, [&](size_t begin, size_t end, size_t) {
      for (size_t i = begin; i < end;) {
        const size_t last = std::min(end, (i / n + 1) * n);  // Of this block of x.
        const size_t first = i;
        const size_t position = indices.within(i++ % n, from.extent);
        while (i < last && indices.within(i % n, from.extent) == position + (i - first)) ++i;
        copy_bytes(dst + first * bytes, src + (first / n * from.extent + position) * bytes,
                   (i - first) * bytes);
      }
    });
  }

  Cost cost(std::span<const TensorDesc> inputs,
            std::span<const TensorDesc> outputs) const override {
    return {0, inputs[1].bytes() + 2 * outputs[0].bytes()};
  }

 private:
  uint32_t axis_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("indices", args.inputs[1]).dtype({DType::kS32, DType::kS64});
  checks.of("y", args.outputs[0]).dtype({args.inputs[0].dtype});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<GatherOperator>(args.as<Attributes>());
  return {};
}

}  // namespace

const OperatorType gather_type = {.name = "gather",
                                  .fields = kFields,
                                  .attribute_bytes = sizeof(Attributes),
                                  .min_inputs = 2,
                                  .max_inputs = 2,
                                  .outputs = 1,
                                  .create = create};

}  // namespace bitpose
