// SPDX-License-Identifier: Apache-2.0
#include "kernels/add_qs8/add_qs8.h"

#include <utility>

#include "engine/ops/binary_qs8.h"

namespace bitpose {
namespace {

struct Attributes {
  int32_t a_multiplier, b_multiplier;
  int32_t bias;
  float multiplier;
  int32_t qmin, qmax;
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, a_multiplier, -32767, 32767),
    BITPOSE_FIELD(Attributes, b_multiplier, -32767, 32767),
    BITPOSE_FIELD(Attributes, bias, INT32_MIN, INT32_MAX),
    BITPOSE_FACTOR_FIELD(Attributes, multiplier),
    BITPOSE_CODE_FIELD(Attributes, qmin),
    BITPOSE_CODE_FIELD(Attributes, qmax),
};

// add_qs8: acc = a * a_multiplier + b * b_multiplier + bias, requantized by `multiplier`
// (kernels/add_qs8/add_qs8.h).
//   a, b   int8, of any shapes that broadcast
//   y      int8
Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto& attributes = args.as<Attributes>();
  OperandChecks checks;
  AddQs8Args kernel;
  kernel.a_multiplier = static_cast<int16_t>(attributes.a_multiplier);
  kernel.b_multiplier = static_cast<int16_t>(attributes.b_multiplier);
  kernel.bias = attributes.bias;
  kernel.multiplier = attributes.multiplier;
  kernel.range = check_binary_qs8(args, attributes.qmin, attributes.qmax, checks);
  if (!checks.ok()) return checks.status();
  AddQs8Args exchanged = kernel;
  std::swap(exchanged.a_multiplier, exchanged.b_multiplier);
  *op = std::make_unique<BinaryQs8Operator<AddQs8Kernel, AddQs8Args>>(select_add_qs8(args.isas),
                                                                      kernel, exchanged);
  return {};
}

}  // namespace

const OperatorType add_qs8_type = {.name = "add_qs8",
                                   .fields = kFields,
                                   .attribute_bytes = sizeof(Attributes),
                                   .min_inputs = 2,
                                   .max_inputs = 2,
                                   .outputs = 1,
                                   .create = create};

}  // namespace bitpose
