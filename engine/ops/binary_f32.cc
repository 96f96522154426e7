// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/binary_function.h"

namespace bitpose {
namespace {

struct Add {
  static float apply(float a, float b) { return a + b; }
};
struct Subtract {
  static float apply(float a, float b) { return a - b; }
};
struct Multiply {
  static float apply(float a, float b) { return a * b; }
};
struct Divide {
  static float apply(float a, float b) { return a / b; }
};
struct Minimum {
  static float apply(float a, float b) { return b < a ? b : a; }
};
struct Maximum {
  static float apply(float a, float b) { return b > a ? b : a; }
};

// binary_f32: y = function(a, b) by IEEE 754.
//   a, b   float32, of any shapes that broadcast
//   y      float32
// minimum is b < a ? b : a and maximum is b > a ? b : a, so a wins where one of them is NaN.
Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  static constexpr BinaryRows<float>* kFunctions[kBinaryFunctions] = {
      binary_rows<float, Add>,    binary_rows<float, Subtract>, binary_rows<float, Multiply>,
      binary_rows<float, Divide>, binary_rows<float, Minimum>,  binary_rows<float, Maximum>,
  };
  return create_binary_function<float>(args, DType::kF32, kFunctions, op);
}

}  // namespace

const OperatorType binary_f32_type = {.name = "binary_f32",
                                      .fields = kBinaryFields,
                                      .attribute_bytes = sizeof(BinaryAttributes),
                                      .min_inputs = 2,
                                      .max_inputs = 2,
                                      .outputs = 1,
                                      .create = create};

}  // namespace bitpose
