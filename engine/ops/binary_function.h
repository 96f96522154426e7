// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "engine/ops/binary.h"

/// What binary_f32 and binary_s32 share: y = function(a, b), where a number chooses the function.
namespace bitpose {

struct BinaryAttributes {
  uint32_t function;  ///< 0 a + b, 1 a - b, 2 a * b, 3 a / b, 4 minimum, 5 maximum.
};

inline constexpr uint32_t kBinaryFunctions = 6;

inline constexpr Field kBinaryFields[] = {
    BITPOSE_FIELD(BinaryAttributes, function, 0, kBinaryFunctions - 1),
};

/// Computes the rows of `walk`.
template <typename T>
using BinaryRows = void(BroadcastWalk& walk, const T* a, const T* b, T* dst);

/// The BinaryRows of `Function::apply(a, b)`. `dst` may be the buffer of `a` or `b` where that has
/// the shape of the output.
template <typename T, typename Function>
void binary_rows(BroadcastWalk& walk, const T* a, const T* b, T* dst) {
  for (BroadcastRow row; walk.next(&row);) {
    const T* from_a = a + row.a;
    const T* from_b = b + row.b;
    T* to = dst + row.dst;
    if (row.a_advances && row.b_advances) {
      for (size_t i = 0; i < row.n; ++i) to[i] = Function::apply(from_a[i], from_b[i]);
    } else if (row.a_advances) {
      const T value = *from_b;
      for (size_t i = 0; i < row.n; ++i) to[i] = Function::apply(from_a[i], value);
    } else {
      const T value = *from_a;
      for (size_t i = 0; i < row.n; ++i) to[i] = Function::apply(value, from_b[i]);
    }
  }
}

template <typename T>
class BinaryFunctionOperator final : public BinaryOperator {
 public:
  explicit BinaryFunctionOperator(BinaryRows<T>* rows) : rows_(rows) {}

 private:
  void run_rows(const RunArgs& args, BroadcastWalk& walk) const override {
    rows_(walk, args.inputs[0].as<T>(), args.inputs[1].as<T>(), args.outputs[0].mutable_as<T>());
  }

  BinaryRows<T>* rows_;
};

/// `functions` has an entry for each value of the attribute `function`.
template <typename T>
Status create_binary_function(const CreateArgs& args, DType dtype,
                              BinaryRows<T>* const (&functions)[kBinaryFunctions],
                              std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("a", args.inputs[0]).dtype({dtype});
  checks.of("b", args.inputs[1]).dtype({dtype});
  checks.of("y", args.outputs[0]).dtype({dtype});
  if (!checks.ok()) return checks.status();
  *op =
      std::make_unique<BinaryFunctionOperator<T>>(functions[args.as<BinaryAttributes>().function]);
  return {};
}

}  // namespace bitpose
