// SPDX-License-Identifier: Apache-2.0
#include "kernels/quantize_f32_qs8/quantize_f32_qs8.h"

#include "engine/ops/quantize_f32.h"

namespace bitpose {
namespace {

constexpr Field kFields[] = {
    BITPOSE_CODE_FIELD(QuantizeAttributes, qmin),
    BITPOSE_CODE_FIELD(QuantizeAttributes, qmax),
};

// quantize_f32_qs8: see QuantizeF32Operator and kernels/quantize_f32_qs8/quantize_f32_qs8.h.
//   x   float32, any shape
//   y   int8, the shape of x
Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  return create_quantize<int8_t>(args, DType::kS8, select_quantize_f32_qs8(args.isas), op);
}

}  // namespace

const OperatorType quantize_f32_qs8_type = {.name = "quantize_f32_qs8",
                                            .fields = kFields,
                                            .attribute_bytes = sizeof(QuantizeAttributes),
                                            .min_inputs = 1,
                                            .max_inputs = 1,
                                            .outputs = 1,
                                            .create = create};

}  // namespace bitpose
