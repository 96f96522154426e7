// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/binary.h"
#include "engine/ops/integer_blocks.h"

namespace bitpose {
namespace {

uint64_t bits(int64_t x) { return static_cast<uint64_t>(x); }
int64_t wrapped(uint64_t x) { return static_cast<int64_t>(x); }

int64_t add(int64_t a, int64_t b) { return wrapped(bits(a) + bits(b)); }
int64_t subtract(int64_t a, int64_t b) { return wrapped(bits(a) - bits(b)); }
int64_t multiply(int64_t a, int64_t b) { return wrapped(bits(a) * bits(b)); }

int64_t divide(int64_t a, int64_t b) {
  if (b == 0) return 0;
  // The least int64 divided by -1 wraps as every negation does.
  return b == -1 ? wrapped(0 - bits(a)) : a / b;
}

int64_t minimum(int64_t a, int64_t b) { return std::min(a, b); }
int64_t maximum(int64_t a, int64_t b) { return std::max(a, b); }

int64_t power(int64_t a, int64_t b) {
  if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
  uint64_t result = 1;
  uint64_t factor = bits(a);
  for (uint64_t rest = bits(b); rest != 0; rest >>= 1) {
    if (rest % 2 == 1) result *= factor;
    factor *= factor;
  }
  return wrapped(result);
}

int64_t remainder(int64_t a, int64_t b) { return b == 0 || b == -1 ? 0 : a % b; }

int64_t modulus(int64_t a, int64_t b) {
  const int64_t rest = remainder(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

int64_t bitwise_and(int64_t a, int64_t b) { return a & b; }
int64_t bitwise_or(int64_t a, int64_t b) { return a | b; }
int64_t bitwise_xor(int64_t a, int64_t b) { return a ^ b; }

bool shifts(int64_t b) { return b >= 0 && b < 64; }
int64_t shift_left(int64_t a, int64_t b) { return shifts(b) ? wrapped(bits(a) << b) : 0; }
int64_t shift_right(int64_t a, int64_t b) { return a >> (shifts(b) ? b : 63); }

using Block = void(size_t n, const int64_t* a, const int64_t* b, int64_t* dst);

template <int64_t (*kFunction)(int64_t, int64_t)>
void block(size_t n, const int64_t* a, const int64_t* b, int64_t* dst) {
  for (size_t i = 0; i < n; ++i) dst[i] = kFunction(a[i], b[i]);
}

constexpr Block* kBlocks[] = {
    block<add>,        block<subtract>,    block<multiply>,   block<divide>,
    block<minimum>,    block<maximum>,     block<power>,      block<remainder>,
    block<modulus>,    block<bitwise_and>, block<bitwise_or>, block<bitwise_xor>,
    block<shift_left>, block<shift_right>,
};

// binary_integer: y = function(a, b) in int64, wrapped to the dtype of the operands. x / 0 and the
// remainders by 0 are 0.
//   a, b   int8, uint8, int16, int32 or int64, of any shapes that broadcast
//   y      the dtype of a and b
struct Attributes {
  /// 0 a + b, 1 a - b, 2 a * b, 3 a / b towards zero, 4 minimum, 5 maximum, 6 a to the power b, 7
  /// remainder with the sign of a, 8 remainder with the sign of b, 9 and, 10 or, 11 exclusive or,
  /// 12 a << b, 13 a >> b; shifts by less than 0 or more than 63 leave nothing but the sign.
  uint32_t function;
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, function, 0, std::size(kBlocks) - 1),
};

class BinaryIntegerOperator final : public BinaryOperator {
 public:
  explicit BinaryIntegerOperator(Block* block) : block_(block) {}

 private:
  void run_rows(const RunArgs& args, BroadcastWalk& walk) const override {
    const DType dtype = args.outputs[0].desc->dtype;
    int64_t result[kIntegerBlock];
    for_each_integer_block(walk, dtype, args.inputs[0].data, args.inputs[1].data,
                           [&](size_t first, size_t n, const int64_t* a, const int64_t* b) {
                             block_(n, a, b, result);
                             store_integers(dtype, result, n, args.outputs[0].data, first);
                           });
  }

  Block* block_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const DType dtype = args.outputs[0].dtype;
  OperandChecks checks;
  checks.of("y", args.outputs[0])
      .dtype({DType::kS8, DType::kU8, DType::kS16, DType::kS32, DType::kS64});
  checks.of("a", args.inputs[0]).dtype({dtype});
  checks.of("b", args.inputs[1]).dtype({dtype});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<BinaryIntegerOperator>(kBlocks[args.as<Attributes>().function]);
  return {};
}

}  // namespace

const OperatorType binary_integer_type = {.name = "binary_integer",
                                          .fields = kFields,
                                          .attribute_bytes = sizeof(Attributes),
                                          .min_inputs = 2,
                                          .max_inputs = 2,
                                          .outputs = 1,
                                          .create = create};

}  // namespace bitpose
