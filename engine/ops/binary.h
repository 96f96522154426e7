// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "engine/ops/broadcast.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

/// What binary_f32 and binary_s32 share: y = function(a, b), element by element, broadcast by
/// numpy's rule.
namespace bitpose {

struct BinaryAttributes {
  uint32_t function;  ///< 0 a + b, 1 a - b, 2 a * b, 3 a / b, 4 minimum, 5 maximum.
};

inline constexpr uint32_t kBinaryFunctions = 6;

inline constexpr Field kBinaryFields[] = {
    BITPOSE_FIELD(BinaryAttributes, function, 0, kBinaryFunctions - 1),
};

/// Computes output elements [begin, end).
template <typename T>
using BinaryRange = void(const Broadcast& broadcast, size_t begin, size_t end, const T* a,
                         const T* b, T* dst);

/// The BinaryRange of `Function::apply(a, b)`. `dst` may be the buffer of `a` or `b` where that has
/// the shape of the output.
template <typename T, typename Function>
void binary_range(const Broadcast& broadcast, size_t begin, size_t end, const T* a, const T* b,
                  T* dst) {
  BroadcastWalk walk(broadcast, begin, end);
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
class BinaryOperator final : public Operator {
 public:
  explicit BinaryOperator(BinaryRange<T>* range) : range_(range) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    return broadcast(inputs[0].shape, inputs[1].shape, &outputs[0].shape);
  }

  void run(const RunArgs& args) const override {
    const Broadcast elements(args.inputs[0].shape(), args.inputs[1].shape());
    parallel_ranges(args.pool, elements.elements(), kGrain, [&](size_t begin, size_t end, size_t) {
      range_(elements, begin, end, args.inputs[0].as<T>(), args.inputs[1].as<T>(),
             args.outputs[0].mutable_as<T>());
    });
  }

  int in_place_input() const override { return 0; }

 private:
  // Elements that are worth handing to another thread.
  static constexpr size_t kGrain = 65536;

  BinaryRange<T>* range_;
};

/// `functions` has an entry for each value of the attribute `function`.
template <typename T>
Status create_binary(const CreateArgs& args, DType dtype,
                     BinaryRange<T>* const (&functions)[kBinaryFunctions],
                     std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("a", args.inputs[0]).dtype({dtype});
  checks.of("b", args.inputs[1]).dtype({dtype});
  checks.of("y", args.outputs[0]).dtype({dtype});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<BinaryOperator<T>>(functions[args.as<BinaryAttributes>().function]);
  return {};
}

}  // namespace bitpose
