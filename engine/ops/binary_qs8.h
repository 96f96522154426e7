// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/ops/binary.h"
#include "engine/ops/scaled_range.h"

/// What the binary operators of 8-bit tensors share.
namespace bitpose {

/// Runs the kernels of a family whose arguments have n, a, b, b_is_scalar and dst.
template <typename Kernel, typename Args>
class BinaryQs8Operator final : public BinaryOperator {
 public:
  /// `forward` has what is the same for all rows; `exchanged` is the same function of b and a, for
  /// rows over which a stays where it is.
  BinaryQs8Operator(const Kernel& kernel, const Args& forward, const Args& exchanged)
      : kernel_(kernel), forward_(forward), exchanged_(exchanged) {}

  const char* kernel_name() const override { return kernel_.name; }

 private:
  void run_rows(const RunArgs& args, BroadcastWalk& walk) const override {
    for (BroadcastRow row; walk.next(&row);) {
      const int8_t* a = args.inputs[0].as<int8_t>() + row.a;
      const int8_t* b = args.inputs[1].as<int8_t>() + row.b;
      Args kernel_args = row.a_advances ? forward_ : exchanged_;
      kernel_args.n = row.n;
      kernel_args.a = row.a_advances ? a : b;
      kernel_args.b = row.a_advances ? b : a;
      kernel_args.b_is_scalar = row.a_advances != row.b_advances;
      kernel_args.dst = args.outputs[0].mutable_as<int8_t>() + row.dst;
      kernel_.run(kernel_args);
    }
  }

  const Kernel& kernel_;
  Args forward_, exchanged_;
};

/// Checks the operands a, b and y. Returns the range of y.
inline OutputRange check_binary_qs8(const CreateArgs& args, int32_t qmin, int32_t qmax,
                                    OperandChecks& checks) {
  checks.of("a", args.inputs[0]).dtype({DType::kS8}).quantized();
  checks.of("b", args.inputs[1]).dtype({DType::kS8}).quantized();
  checks.of("y", args.outputs[0]).dtype({DType::kS8}).quantized();
  return output_range(args.outputs[0], qmin, qmax, checks);
}

}  // namespace bitpose
