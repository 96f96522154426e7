// SPDX-License-Identifier: Apache-2.0
#include "kernels/mul_qs8/mul_qs8.h"

#include <utility>

#include "engine/ops/broadcast.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/ops/scaled_range.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

struct Attributes {
  float multiplier;
  int32_t qmin, qmax;
};

constexpr Field kFields[] = {
    BITPOSE_FACTOR_FIELD(Attributes, multiplier),
    BITPOSE_CODE_FIELD(Attributes, qmin),
    BITPOSE_CODE_FIELD(Attributes, qmax),
};

// mul_qs8: acc = (a - za) * (b - zb), requantized by `multiplier`: scale(a) * scale(b) / scale(y).
//   a, b   int8, of any shapes that broadcast
//   y      int8
class MulQs8Operator final : public Operator {
 public:
  MulQs8Operator(const CreateArgs& args, const OutputRange& range)
      : kernel_(select_mul_qs8(args.isas)) {
    args_.a_zero_point = args.inputs[0].zero_point;
    args_.b_zero_point = args.inputs[1].zero_point;
    args_.multiplier = args.as<Attributes>().multiplier;
    args_.range = range;
  }

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    return broadcast(inputs[0].shape, inputs[1].shape, &outputs[0].shape);
  }

  void run(const RunArgs& args) const override {
    const Broadcast elements(args.inputs[0].shape(), args.inputs[1].shape());
    parallel_ranges(args.pool, elements.elements(), kGrain, [&](size_t begin, size_t end, size_t) {
      BroadcastWalk walk(elements, begin, end);
      for (BroadcastRow row; walk.next(&row);) run_row(args, row);
    });
  }

  int in_place_input() const override { return 0; }
  const char* kernel_name() const override { return kernel_.name; }

 private:
  // Elements that are worth handing to another thread.
  static constexpr size_t kGrain = 65536;

  void run_row(const RunArgs& args, const BroadcastRow& row) const {
    MulQs8Args kernel_args = args_;
    kernel_args.n = row.n;
    kernel_args.a = args.inputs[0].as<int8_t>() + row.a;
    kernel_args.b = args.inputs[1].as<int8_t>() + row.b;
    kernel_args.dst = args.outputs[0].mutable_as<int8_t>() + row.dst;
    if (!row.a_advances) {
      std::swap(kernel_args.a, kernel_args.b);
      std::swap(kernel_args.a_zero_point, kernel_args.b_zero_point);
    }
    kernel_args.b_is_scalar = row.a_advances != row.b_advances;
    kernel_.run(kernel_args);
  }

  const MulQs8Kernel& kernel_;
  MulQs8Args args_;  ///< What is the same for all rows.
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto& attributes = args.as<Attributes>();
  OperandChecks checks;
  checks.of("a", args.inputs[0]).dtype({DType::kS8}).quantized();
  checks.of("b", args.inputs[1]).dtype({DType::kS8}).quantized();
  checks.of("y", args.outputs[0]).dtype({DType::kS8}).quantized();
  const OutputRange range = output_range(args.outputs[0], attributes.qmin, attributes.qmax, checks);
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<MulQs8Operator>(args, range);
  return {};
}

}  // namespace

const OperatorType mul_qs8_type = {.name = "mul_qs8",
                                   .fields = kFields,
                                   .attribute_bytes = sizeof(Attributes),
                                   .min_inputs = 2,
                                   .max_inputs = 2,
                                   .outputs = 1,
                                   .create = create};

}  // namespace bitpose
