// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/binary.h"
#include "engine/ops/integer_blocks.h"

namespace bitpose {
namespace {

// logic: y = function(a, b) of truth values.
//   a, b   bool, of any shapes that broadcast
//   y      bool
struct Attributes {
  uint32_t function;  ///< 0 and, 1 or, 2 exclusive or.
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, function, 0, 2),
};

bool apply(uint32_t function, bool a, bool b) {
  if (function == 0) return a && b;
  return function == 1 ? a || b : a != b;
}

class LogicOperator final : public BinaryOperator {
 public:
  explicit LogicOperator(const Attributes& attributes) : function_(attributes.function) {}

 private:
  void run_rows(const RunArgs& args, BroadcastWalk& walk) const override {
    auto* dst = args.outputs[0].mutable_as<Bool>();
    for_each_integer_block(walk, DType::kBool, args.inputs[0].data, args.inputs[1].data,
                           [&](size_t first, size_t n, const int64_t* a, const int64_t* b) {
                             for (size_t i = 0; i < n; ++i) {
                               const bool result = apply(function_, a[i] != 0, b[i] != 0);
                               dst[first + i] = static_cast<Bool>(result);
                             }
                           });
  }

  uint32_t function_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("a", args.inputs[0]).dtype({DType::kBool});
  checks.of("b", args.inputs[1]).dtype({DType::kBool});
  checks.of("y", args.outputs[0]).dtype({DType::kBool});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<LogicOperator>(args.as<Attributes>());
  return {};
}

}  // namespace

const OperatorType logic_type = {.name = "logic",
                                 .fields = kFields,
                                 .attribute_bytes = sizeof(Attributes),
                                 .min_inputs = 2,
                                 .max_inputs = 2,
                                 .outputs = 1,
                                 .create = create};

}  // namespace bitpose
