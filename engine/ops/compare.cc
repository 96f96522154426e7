// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "engine/ops/binary.h"
#include "engine/ops/integer_blocks.h"

namespace bitpose {
namespace {

/// The comparisons of a row; a step of 0 stays at one value.
template <typename T>
using Compare = void(size_t n, const T* a, size_t a_step, const T* b, size_t b_step, Bool* dst);

template <typename T, typename Relation>
void compare(size_t n, const T* a, size_t a_step, const T* b, size_t b_step, Bool* dst) {
  for (size_t i = 0; i < n; ++i) {
    dst[i] = static_cast<Bool>(Relation()(a[i * a_step], b[i * b_step]));
  }
}

/// The values of the attribute `function`: 0 equal, 1 less, 2 less or equal, 3 greater, 4 greater
/// or equal. The last two are the two before of b and a.
constexpr uint32_t kFunctions = 5;

template <typename T>
void relate(uint32_t function, size_t n, const T* a, size_t a_step, const T* b, size_t b_step,
            Bool* dst) {
  constexpr Compare<T>* kRelations[] = {compare<T, std::equal_to<T>>, compare<T, std::less<T>>,
                                        compare<T, std::less_equal<T>>};
  if (function < std::size(kRelations)) {
    kRelations[function](n, a, a_step, b, b_step, dst);
  } else {
    kRelations[function - 2](n, b, b_step, a, a_step, dst);
  }
}

// compare: whether a and b stand in a relation. NaN stands in none; codes of quantized tensors
// count as integers, false as 0 and true as 1.
//   a, b   any dtype, the same, of any shapes that broadcast
//   y      bool
struct Attributes {
  uint32_t function;
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, function, 0, kFunctions - 1),
};

class CompareOperator final : public BinaryOperator {
 public:
  explicit CompareOperator(const Attributes& attributes) : function_(attributes.function) {}

  int in_place_input() const override { return -1; }

 private:
  void run_rows(const RunArgs& args, BroadcastWalk& walk) const override {
    const DType dtype = args.inputs[0].desc->dtype;
    auto* dst = args.outputs[0].mutable_as<Bool>();
    if (dtype == DType::kF32) return run_floats(args, walk, dst);
    for_each_integer_block(walk, dtype, args.inputs[0].data, args.inputs[1].data,
                           [&](size_t first, size_t n, const int64_t* a, const int64_t* b) {
                             relate<int64_t>(function_, n, a, 1, b, 1, dst + first);
                           });
  }

  void run_floats(const RunArgs& args, BroadcastWalk& walk, Bool* dst) const {
    const auto* a = args.inputs[0].as<float>();
    const auto* b = args.inputs[1].as<float>();
    for (BroadcastRow row; walk.next(&row);) {
      relate<float>(function_, row.n, a + row.a, row.a_advances ? 1 : 0, b + row.b,
                    row.b_advances ? 1 : 0, dst + row.dst);
    }
  }

  uint32_t function_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("b", args.inputs[1]).dtype({args.inputs[0].dtype});
  checks.of("y", args.outputs[0]).dtype({DType::kBool});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<CompareOperator>(args.as<Attributes>());
  return {};
}

}  // namespace

const OperatorType compare_type = {.name = "compare",
                                   .fields = kFields,
                                   .attribute_bytes = sizeof(Attributes),
                                   .min_inputs = 2,
                                   .max_inputs = 2,
                                   .outputs = 1,
                                   .create = create};

}  // namespace bitpose
