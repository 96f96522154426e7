// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "engine/model/text.h"
#include "engine/ops/axis_view.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

struct Attributes {
  uint32_t axis;
  uint32_t exclusive;
  uint32_t reverse;
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, axis, 0, kMaxRank - 1),
    BITPOSE_FIELD(Attributes, exclusive, 0, 1),
    BITPOSE_FIELD(Attributes, reverse, 0, 1),
};

/// One block of `extent` rows of `inner` elements.
template <typename T>
void accumulate(const T* src, const AxisView& view, const Attributes& attributes, T* dst) {
  const auto row = [&](size_t i) {
    return (attributes.reverse == 1 ? view.extent - 1 - i : i) * view.inner;
  };
  const bool exclusive = attributes.exclusive == 1;
  if (exclusive) {
    std::fill_n(dst + row(0), view.inner, T{0});
  } else {
    std::copy_n(src + row(0), view.inner, dst + row(0));
  }
  for (size_t i = 1; i < view.extent; ++i) {
    const T* x = src + row(exclusive ? i - 1 : i);
    const T* sum = dst + row(i - 1);
    T* y = dst + row(i);
    for (size_t j = 0; j < view.inner; ++j) y[j] = sum[j] + x[j];
  }
}

template <typename T>
void accumulate_all(const RunArgs& args, const Attributes& attributes) {
  const AxisView view(args.inputs[0].shape(), attributes.axis);
  const size_t block = view.extent * view.inner;
  if (block == 0) return;
  const auto* src = args.inputs[0].as<T>();
  auto* dst = args.outputs[0].mutable_as<T>();
  const size_t grain = items_per_task(4096, block);
  parallel_ranges(args.pool, view.outer, grain, [&](size_t begin, size_t end, size_t) {
    for (size_t i = begin; i < end; ++i) {
      accumulate(src + i * block, view, attributes, dst + i * block);
    }
  });
}

// cumulative_sum: y(i) = x(0) + ... + x(i) along `axis`, added in this order; without x(i) itself
// if `exclusive`, and from the other end if `reverse`. Integers wrap.
//   x, y   float32, int32 or int64, the same for both
class CumulativeSumOperator final : public Operator {
 public:
  explicit CumulativeSumOperator(const Attributes& attributes) : attributes_(attributes) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    const Shape& shape = inputs[0].shape;
    OperandChecks checks;
    checks.require(attributes_.axis < shape.rank,
                   text("axis ", attributes_.axis, " is not below the rank ", shape.rank, " of x"));
    outputs[0].shape = shape;
    return checks.status();
  }

  void run(const RunArgs& args) const override {
    switch (args.inputs[0].desc->dtype) {
      case DType::kF32:
        return accumulate_all<float>(args, attributes_);
      case DType::kS32:
        return accumulate_all<uint32_t>(args, attributes_);
      default:
        return accumulate_all<uint64_t>(args, attributes_);
    }
  }

 private:
  Attributes attributes_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kF32, DType::kS32, DType::kS64});
  checks.of("y", args.outputs[0]).dtype({args.inputs[0].dtype});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<CumulativeSumOperator>(args.as<Attributes>());
  return {};
}

}  // namespace

const OperatorType cumulative_sum_type = {.name = "cumulative_sum",
                                          .fields = kFields,
                                          .attribute_bytes = sizeof(Attributes),
                                          .min_inputs = 1,
                                          .max_inputs = 1,
                                          .outputs = 1,
                                          .create = create};

}  // namespace bitpose
