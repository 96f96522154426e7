// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <type_traits>

#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

/// One element. Float to integer truncates towards zero and saturates, NaN becomes 0; integer to
/// float rounds to nearest even; integer to integer wraps. A bool is whether the element is not 0.
template <typename To, typename From>
To convert(From x) {
  if constexpr (std::is_same_v<To, Bool> || std::is_same_v<From, Bool>) {
    return static_cast<To>(x != From{});
  } else if constexpr (std::is_same_v<From, float> && !std::is_same_v<To, float>) {
    constexpr auto kLow = static_cast<float>(std::numeric_limits<To>::min());
    // One above the largest To, a power of two.
    constexpr float kEnd = 2.0f * static_cast<float>(std::numeric_limits<To>::max() / 2 + 1);
    if (x != x) return 0;
    if (x <= kLow) return std::numeric_limits<To>::min();
    if (x >= kEnd) return std::numeric_limits<To>::max();
    return static_cast<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

using Convert = void(const void* src, void* dst, size_t begin, size_t end);

template <typename To, typename From>
void convert_range(const void* src, void* dst, size_t begin, size_t end) {
  const auto* from = static_cast<const From*>(src);
  auto* to = static_cast<To*>(dst);
  for (size_t i = begin; i < end; ++i) to[i] = convert<To>(from[i]);
}

template <typename To>
Convert* converter_to(DType from) {
  switch (from) {
    case DType::kF32:
      return convert_range<To, float>;
    case DType::kS8:
      return convert_range<To, int8_t>;
    case DType::kU8:
      return convert_range<To, uint8_t>;
    case DType::kS32:
      return convert_range<To, int32_t>;
    case DType::kS64:
      return convert_range<To, int64_t>;
    case DType::kBool:
      return convert_range<To, Bool>;
  }
  return nullptr;
}

/// The conversion between two dtypes, or null when one is not supported.
Convert* converter(DType from, DType to) {
  switch (to) {
    case DType::kF32:
      return converter_to<float>(from);
    case DType::kS8:
      return converter_to<int8_t>(from);
    case DType::kU8:
      return converter_to<uint8_t>(from);
    case DType::kS32:
      return converter_to<int32_t>(from);
    case DType::kS64:
      return converter_to<int64_t>(from);
    case DType::kBool:
      return converter_to<Bool>(from);
  }
  return nullptr;
}

// cast: the elements of x as the dtype of y; codes of quantized tensors count as integers.
//   x, y   any dtypes, equal shapes
class CastOperator final : public Operator {
 public:
  explicit CastOperator(Convert* convert) : convert_(convert) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    outputs[0].shape = inputs[0].shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    parallel_ranges(args.pool, args.outputs[0].shape().elements(), kGrain,
                    [&](size_t begin, size_t end, size_t) {
                      convert_(args.inputs[0].data, args.outputs[0].data, begin, end);
                    });
  }

 private:
  // Elements that are worth handing to another thread.
  static constexpr size_t kGrain = 4096;

  Convert* convert_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const DType from = args.inputs[0].dtype;
  const DType to = args.outputs[0].dtype;
  Convert* convert = converter(from, to);
  OperandChecks checks;
  checks.require(convert != nullptr, std::string("there is no cast from ") + dtype_name(from) +
                                         " to " + dtype_name(to));
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<CastOperator>(convert);
  return {};
}

}  // namespace

const OperatorType cast_type = {.name = "cast",
                                .fields = {},
                                .attribute_bytes = 0,
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .outputs = 1,
                                .create = create};

}  // namespace bitpose
