// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/operands.h"
#include "engine/ops/pooling.h"
#include "kernels/avgpool_f32/avgpool_f32.h"

namespace bitpose {
namespace {

struct Attributes {
  PoolAttributes pool;
  uint32_t count_include_pad;
};

constexpr auto kFields =
    join_fields(kPoolFields, {BITPOSE_FIELD(Attributes, count_include_pad, 0, 1)});

// avgpool2d_f32: the sum of the taps of each window that lie on the picture, in order, divided by
// their number, or by that of all taps of a window (count_include_pad); 0 without any tap.
//   x   float32 [N,H,W,C]
//   y   float32 [N,OH,OW,C]
class Avgpool2dF32Operator final : public PoolOperator {
 public:
  Avgpool2dF32Operator(const Attributes& attributes, isa::Set isas)
      : PoolOperator(attributes.pool),
        kernel_(select_avgpool_f32(isas)),
        counts_padding_(attributes.count_include_pad == 1) {}

  void run(const RunArgs& args) const override {
    const auto* src = args.inputs[0].as<float>();
    auto* dst = args.outputs[0].mutable_as<float>();
    for_each_run(args, 0.0f, [&](const PoolRun& run) {
      const auto count = static_cast<float>(counts_padding_ ? taps() : run.window.taps());
      kernel_.run(run.window, src + run.src_row + run.src_column, count, dst + run.dst);
    });
  }

  const char* kernel_name() const override { return kernel_.name; }

 private:
  const AvgpoolF32Kernel& kernel_;
  bool counts_padding_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kF32}).rank(4);
  checks.of("y", args.outputs[0]).dtype({DType::kF32});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<Avgpool2dF32Operator>(args.as<Attributes>(), args.isas);
  return {};
}

}  // namespace

const OperatorType avgpool2d_f32_type = {.name = "avgpool2d_f32",
                                         .fields = kFields,
                                         .attribute_bytes = sizeof(Attributes),
                                         .min_inputs = 1,
                                         .max_inputs = 1,
                                         .outputs = 1,
                                         .create = create};

}  // namespace bitpose
