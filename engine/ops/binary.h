// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/ops/broadcast.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {

/// An operator of two operands that meet element by element, broadcast by numpy's rule: everything
/// but the arithmetic. The output may take over the memory of the first operand, so rows are
/// computed in place where that has the shape of the output.
class BinaryOperator : public Operator {
 public:
  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    return broadcast(inputs[0].shape, inputs[1].shape, &outputs[0].shape);
  }

  void run(const RunArgs& args) const override {
    const Broadcast elements(args.inputs[0].shape(), args.inputs[1].shape());
    parallel_ranges(args.pool, elements.elements(), kElementwiseGrain,
                    [&](size_t begin, size_t end, size_t) {
                      BroadcastWalk walk(elements, begin, end);
                      run_rows(args, walk);
                    });
  }

  int in_place_input() const override { return 0; }

 private:
  /// Computes the rows of `walk`.
  virtual void run_rows(const RunArgs& args, BroadcastWalk& walk) const = 0;
};

}  // namespace bitpose
