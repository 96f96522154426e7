// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/ops/broadcast.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"

namespace bitpose {

/// An operator of two operands that meet element by element, broadcast by numpy's rule: everything
/// but the arithmetic. The output may take over the memory of the first operand, so rows are
/// computed in place where that has the shape of the output.
class BinaryOperator : public Operator {
 public:
  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    return broadcast(inputs[0].shape, inputs[1].shape, &outputs[0].shape);
  }

  size_t scratch_per_thread(std::span<const TensorDesc>,
                            std::span<const TensorDesc>) const override {
    return kRepeatedBytes;
  }
  void run(const RunArgs& args) const override;
  int in_place_input() const override { return 0; }

 private:
  /// Short rows that repeat are laid out in scratch several times, so that kernels get long ones.
  static constexpr size_t kRepeatedBytes = 4096;
  static constexpr size_t kLeastCopies = 4;

  /// Computes the rows of `walk`.
  virtual void run_rows(const RunArgs& args, BroadcastWalk& walk) const = 0;

  /// Computes the rows [begin, end) of an operand, in which those of the other repeat.
  void run_repeated(const RunArgs& args, const Broadcast& elements, const Repetition& repetition,
                    size_t begin, size_t end, std::byte* scratch) const;
};

}  // namespace bitpose
