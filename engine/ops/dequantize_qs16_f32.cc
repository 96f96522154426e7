// SPDX-License-Identifier: Apache-2.0
#include "kernels/dequantize_qs16_f32/dequantize_qs16_f32.h"

#include "engine/ops/dequantize_f32.h"

namespace bitpose {
namespace {

// dequantize_qs16_f32: see DequantizeF32Operator.
//   x   int16, any shape
//   y   float32, the shape of x
Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  return create_dequantize<int16_t>(args, DType::kS16, select_dequantize_qs16_f32(args.isas), op);
}

}  // namespace

const OperatorType dequantize_qs16_f32_type = {.name = "dequantize_qs16_f32",
                                               .fields = {},
                                               .attribute_bytes = 0,
                                               .min_inputs = 1,
                                               .max_inputs = 1,
                                               .outputs = 1,
                                               .create = create};

}  // namespace bitpose
