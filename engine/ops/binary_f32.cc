// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/binary.h"

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
  static constexpr BinaryRange<float>* kFunctions[kBinaryFunctions] = {
      binary_range<float, Add>,    binary_range<float, Subtract>, binary_range<float, Multiply>,
      binary_range<float, Divide>, binary_range<float, Minimum>,  binary_range<float, Maximum>,
  };
  return create_binary<float>(args, DType::kF32, kFunctions, op);
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
