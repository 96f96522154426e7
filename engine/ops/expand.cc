// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "engine/model/text.h"
#include "engine/ops/broadcast.h"
#include "engine/ops/fill.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

// expand: x repeated by numpy's broadcasting up to the shape of y, which the model states.
//   x, y   any dtype, the same for both
// Where an extent of x is smaller in a run, so is that of y, unless x is repeated along it.
class ExpandOperator final : public Operator {
 public:
  ExpandOperator(const Shape& x, const Shape& y) : x_(x), y_(y) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    const Shape& x = inputs[0].shape;
    Shape both;
    Status status = broadcast(x_, y_, &both);
    if (!status.ok()) return status;
    OperandChecks checks;
    checks.require(both == y_ && x.rank == x_.rank,
                   text("operand x has shape ", x, ", which does not expand to ", y_));
    if (!checks.ok()) return checks.status();
    outputs[0].shape = y_;
    for (uint32_t i = 0; i < x.rank; ++i) {
      if (x[i] != x_[i]) outputs[0].shape.dims[y_.rank - x.rank + i] = x[i];
    }
    return {};
  }

  void run(const RunArgs& args) const override {
    const TensorRef& output = args.outputs[0];
    const Broadcast elements(args.inputs[0].shape(), output.shape());
    const size_t bytes = dtype_bytes(output.desc->dtype);
    const auto* src = args.inputs[0].as<std::byte>();
    auto* dst = output.mutable_as<std::byte>();
    parallel_ranges(args.pool, elements.elements(), kGrain, [&](size_t begin, size_t end, size_t) {
      BroadcastWalk walk(elements, begin, end);
      for (BroadcastRow row; walk.next(&row);) {
        const std::byte* from = src + row.a * bytes;
        std::byte* to = dst + row.dst * bytes;
        if (row.a_advances) {
          std::memcpy(to, from, row.n * bytes);
        } else {
          fill_elements(to, row.n, from, bytes);
        }
      }
    });
  }

 private:
  // Elements that are worth handing to another thread.
  static constexpr size_t kGrain = 16384;

  Shape x_, y_;  // As the model states them.
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("y", args.outputs[0]).dtype({args.inputs[0].dtype});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<ExpandOperator>(args.inputs[0].shape, args.outputs[0].shape);
  return {};
}

}  // namespace

const OperatorType expand_type = {.name = "expand",
                                  .fields = {},
                                  .attribute_bytes = 0,
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .outputs = 1,
                                  .create = create};

}  // namespace bitpose
