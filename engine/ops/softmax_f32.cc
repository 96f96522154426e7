// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax_f32/softmax_f32.h"

#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

// softmax_f32: softmax over the last axis (kernels/softmax_f32/softmax_f32.h).
//   x   float32, rank 1 or more
//   y   float32, the shape of x
class SoftmaxF32Operator final : public Operator {
 public:
  explicit SoftmaxF32Operator(isa::Set isas) : kernel_(select_softmax_f32(isas)) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    const Shape& shape = inputs[0].shape;
    OperandChecks checks;
    checks.require(shape.rank > 0, "operand x is a scalar, expected rank 1 or more");
    if (!checks.ok()) return checks.status();
    outputs[0].shape = shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    const Shape& shape = args.inputs[0].shape();
    const auto* src = args.inputs[0].as<float>();
    auto* dst = args.outputs[0].mutable_as<float>();
    const size_t n = shape[shape.rank - 1];
    if (n == 0) return;
    const size_t grain = items_per_task(kGrain, n);
    parallel_ranges(args.pool, shape.elements() / n, grain, [&](size_t begin, size_t end, size_t) {
      kernel_.run(end - begin, n, src + begin * n, dst + begin * n);
    });
  }

  int in_place_input() const override { return 0; }
  const char* kernel_name() const override { return kernel_.name; }

  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc>) const override {
    return {kProducts * inputs[0].shape.elements(), 2 * inputs[0].bytes()};
  }

 private:
  // Elements that are worth handing to another thread.
  static constexpr size_t kGrain = 1024;
  // Products per element: nine for the exponential and its scaling, and a division.
  static constexpr uint64_t kProducts = 12;

  const SoftmaxF32Kernel& kernel_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kF32});
  checks.of("y", args.outputs[0]).dtype({DType::kF32});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<SoftmaxF32Operator>(args.isas);
  return {};
}

}  // namespace

const OperatorType softmax_f32_type = {.name = "softmax_f32",
                                       .fields = {},
                                       .attribute_bytes = 0,
                                       .min_inputs = 1,
                                       .max_inputs = 1,
                                       .outputs = 1,
                                       .create = create};

}  // namespace bitpose
