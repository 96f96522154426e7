// SPDX-License-Identifier: Apache-2.0
#include "kernels/mul_qs8/mul_qs8.h"

#include <utility>

#include "engine/ops/binary_qs8.h"

namespace bitpose {
namespace {

struct Attributes {
  float multiplier;
  int32_t qmin, qmax;
};

constexpr Field kFields[] = {
    BITPOSE_FACTOR_FIELD(Attributes, multiplier),
    BITPOSE_CODE_FIELD(Attributes, qmin),
    BITPOSE_CODE_FIELD(Attributes, qmax),
};

// mul_qs8: acc = (a - za) * (b - zb), requantized by `multiplier`: scale(a) * scale(b) / scale(y).
//   a, b   int8, of any shapes that broadcast
//   y      int8
Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto& attributes = args.as<Attributes>();
  OperandChecks checks;
  MulQs8Args kernel;
  kernel.a_zero_point = args.inputs[0].zero_point;
  kernel.b_zero_point = args.inputs[1].zero_point;
  kernel.multiplier = attributes.multiplier;
  kernel.range = check_binary_qs8(args, attributes.qmin, attributes.qmax, checks);
  if (!checks.ok()) return checks.status();
  MulQs8Args exchanged = kernel;
  std::swap(exchanged.a_zero_point, exchanged.b_zero_point);
  *op = std::make_unique<BinaryQs8Operator<MulQs8Kernel, MulQs8Args>>(select_mul_qs8(args.isas),
                                                                      kernel, exchanged);
  return {};
}

}  // namespace

const OperatorType mul_qs8_type = {.name = "mul_qs8",
                                   .fields = kFields,
                                   .attribute_bytes = sizeof(Attributes),
                                   .min_inputs = 2,
                                   .max_inputs = 2,
                                   .outputs = 1,
                                   .create = create};

}  // namespace bitpose
