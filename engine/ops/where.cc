// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/broadcast.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

/// Rows of elements of one size; only bytes are moved.
template <typename T>
void select_rows(const RunArgs& args, BroadcastWalk& walk) {
  for (BroadcastRow row; walk.next(&row);) {
    const T* a = args.inputs[1].as<T>() + row.a;
    const T* b = args.inputs[2].as<T>() + row.b;
    const Bool* condition = args.inputs[0].as<Bool>() + row.c;
    T* dst = args.outputs[0].mutable_as<T>() + row.dst;
    const size_t a_step = row.a_advances ? 1 : 0;
    const size_t b_step = row.b_advances ? 1 : 0;
    const size_t c_step = row.c_advances ? 1 : 0;
    for (size_t i = 0; i < row.n; ++i) {
      const T x = a[i * a_step];
      const T y = b[i * b_step];
      dst[i] = condition[i * c_step] != Bool::kFalse ? x : y;
    }
  }
}

// where: y = condition ? a : b, element by element.
//   condition   bool
//   a, b        any dtype, the same
//   y           the dtype of a and b
// The three operands have any shapes that broadcast.
class WhereOperator final : public Operator {
 public:
  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    Shape shape;
    const Status status = broadcast(inputs[1].shape, inputs[2].shape, &shape);
    return status.ok() ? broadcast(inputs[0].shape, shape, &outputs[0].shape) : status;
  }

  void run(const RunArgs& args) const override {
    const Broadcast elements(args.inputs[1].shape(), args.inputs[2].shape(),
                             args.inputs[0].shape());
    const size_t bytes = dtype_bytes(args.outputs[0].desc->dtype);
    parallel_ranges(args.pool, elements.elements(), kElementwiseGrain,
                    [&](size_t begin, size_t end, size_t) {
                      BroadcastWalk walk(elements, begin, end);
                      if (bytes == 1) return select_rows<uint8_t>(args, walk);
                      if (bytes == 2) return select_rows<uint16_t>(args, walk);
                      if (bytes == 4) return select_rows<uint32_t>(args, walk);
                      return select_rows<uint64_t>(args, walk);
                    });
  }
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("condition", args.inputs[0]).dtype({DType::kBool});
  checks.of("a", args.inputs[1]).dtype({args.outputs[0].dtype});
  checks.of("b", args.inputs[2]).dtype({args.outputs[0].dtype});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<WhereOperator>();
  return {};
}

}  // namespace

const OperatorType where_type = {.name = "where",
                                 .fields = {},
                                 .attribute_bytes = 0,
                                 .min_inputs = 3,
                                 .max_inputs = 3,
                                 .outputs = 1,
                                 .create = create};

}  // namespace bitpose
