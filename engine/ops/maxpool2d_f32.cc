// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "engine/ops/operands.h"
#include "engine/ops/pooling.h"
#include "kernels/maxpool_f32/maxpool_f32.h"

namespace bitpose {
namespace {

// maxpool2d_f32: the largest number under each window; padding never wins, and is the lowest finite
// number where there is nothing else (kernels/maxpool_f32/maxpool_f32.h says what NaN does).
//   x   float32 [N,H,W,C]
//   y   float32 [N,OH,OW,C]
class Maxpool2dF32Operator final : public PoolOperator {
 public:
  Maxpool2dF32Operator(const PoolAttributes& attributes, isa::Set isas)
      : PoolOperator(attributes), kernel_(select_maxpool_f32(isas)) {}

  void run(const RunArgs& args) const override {
    const auto* src = args.inputs[0].as<float>();
    auto* dst = args.outputs[0].mutable_as<float>();
    for_each_run(args, std::numeric_limits<float>::lowest(), [&](const PoolRun& run) {
      kernel_.run(run.window, src + run.src_row + run.src_column, dst + run.dst);
    });
  }

  const char* kernel_name() const override { return kernel_.name; }

 private:
  const MaxpoolF32Kernel& kernel_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kF32}).rank(4);
  checks.of("y", args.outputs[0]).dtype({DType::kF32});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<Maxpool2dF32Operator>(args.as<PoolAttributes>(), args.isas);
  return {};
}

}  // namespace

const OperatorType maxpool2d_f32_type = {.name = "maxpool2d_f32",
                                         .fields = kPoolFields,
                                         .attribute_bytes = sizeof(PoolAttributes),
                                         .min_inputs = 1,
                                         .max_inputs = 1,
                                         .outputs = 1,
                                         .create = create};

}  // namespace bitpose
