// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/binary_function.h"

namespace bitpose {
namespace {

uint32_t bits(int32_t x) { return static_cast<uint32_t>(x); }

struct Add {
  static int32_t apply(int32_t a, int32_t b) { return static_cast<int32_t>(bits(a) + bits(b)); }
};
struct Subtract {
  static int32_t apply(int32_t a, int32_t b) { return static_cast<int32_t>(bits(a) - bits(b)); }
};
struct Multiply {
  static int32_t apply(int32_t a, int32_t b) { return static_cast<int32_t>(bits(a) * bits(b)); }
};
struct Divide {
  static int32_t apply(int32_t a, int32_t b) {
    if (b == 0) return 0;
    // INT_MIN / -1 wraps as every negation does.
    return b == -1 ? static_cast<int32_t>(0u - bits(a)) : a / b;
  }
};
struct Minimum {
  static int32_t apply(int32_t a, int32_t b) { return b < a ? b : a; }
};
struct Maximum {
  static int32_t apply(int32_t a, int32_t b) { return b > a ? b : a; }
};

// binary_s32: y = function(a, b) modulo 2^32; division truncates towards zero and x / 0 is 0.
//   a, b   int32, of any shapes that broadcast
//   y      int32
Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  static constexpr BinaryRows<int32_t>* kFunctions[kBinaryFunctions] = {
      binary_rows<int32_t, Add>,    binary_rows<int32_t, Subtract>, binary_rows<int32_t, Multiply>,
      binary_rows<int32_t, Divide>, binary_rows<int32_t, Minimum>,  binary_rows<int32_t, Maximum>,
  };
  return create_binary_function<int32_t>(args, DType::kS32, kFunctions, op);
}

}  // namespace

const OperatorType binary_s32_type = {.name = "binary_s32",
                                      .fields = kBinaryFields,
                                      .attribute_bytes = sizeof(BinaryAttributes),
                                      .min_inputs = 2,
                                      .max_inputs = 2,
                                      .outputs = 1,
                                      .create = create};

}  // namespace bitpose
