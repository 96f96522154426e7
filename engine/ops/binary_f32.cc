// SPDX-License-Identifier: Apache-2.0
#include "kernels/binary_f32/binary_f32.h"

#include "engine/ops/binary.h"

namespace bitpose {
namespace {

struct Attributes {
  uint32_t function;
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, function, 0, kBinaryFunctions - 1),
};

// binary_f32: y = function(a, b), the functions of kernels/binary_f32/binary_f32.h.
//   a, b   float32, of any shapes that broadcast
//   y      float32
class BinaryF32Operator final : public BinaryOperator {
 public:
  BinaryF32Operator(const Attributes& attributes, isa::Set isas)
      : kernel_(select_binary_f32(isas)),
        function_(static_cast<BinaryFunction>(attributes.function)) {}

  const char* kernel_name() const override { return kernel_.name; }

 private:
  void run_rows(const RunArgs& args, BroadcastWalk& walk) const override {
    const auto* a = args.inputs[0].as<float>();
    const auto* b = args.inputs[1].as<float>();
    auto* dst = args.outputs[0].mutable_as<float>();
    for (BroadcastRow row; walk.next(&row);) {
      const BinaryF32Row operands{a + row.a, b + row.b, row.a_advances, row.b_advances};
      kernel_.run(function_, row.n, operands, dst + row.dst);
    }
  }

  const BinaryF32Kernel& kernel_;
  BinaryFunction function_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("a", args.inputs[0]).dtype({DType::kF32});
  checks.of("b", args.inputs[1]).dtype({DType::kF32});
  checks.of("y", args.outputs[0]).dtype({DType::kF32});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<BinaryF32Operator>(args.as<Attributes>(), args.isas);
  return {};
}

}  // namespace

const OperatorType binary_f32_type = {.name = "binary_f32",
                                      .fields = kFields,
                                      .attribute_bytes = sizeof(Attributes),
                                      .min_inputs = 2,
                                      .max_inputs = 2,
                                      .outputs = 1,
                                      .create = create};

}  // namespace bitpose
