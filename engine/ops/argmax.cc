// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/ops/axis_view.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

struct Attributes {
  uint32_t axis;
  uint32_t keepdims;
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, axis, 0, kMaxRank - 1),
    BITPOSE_FIELD(Attributes, keepdims, 0, 1),
};

/// Columns that are searched side by side.
constexpr size_t kColumns = 64;

/// The indices of the largest elements of `count` <= kColumns neighbouring columns.
template <typename T, typename Index>
void search(const T* src, size_t extent, size_t stride, size_t count, Index* dst) {
  T best[kColumns];
  int32_t index[kColumns] = {};
  std::copy_n(src, count, best);
  for (size_t i = 1; i < extent; ++i) {
    const T* row = src + i * stride;
    for (size_t j = 0; j < count; ++j) {
      const bool wins = !(row[j] <= best[j]) && best[j] == best[j];
      index[j] = wins ? static_cast<int32_t>(i) : index[j];
      best[j] = wins ? row[j] : best[j];
    }
  }
  std::copy_n(index, count, dst);
}

template <typename T, typename Index>
void argmax(const RunArgs& args, uint32_t axis) {
  const AxisView view(args.inputs[0].shape(), axis);
  const auto* src = args.inputs[0].as<T>();
  auto* dst = args.outputs[0].mutable_as<Index>();
  if (view.outer == 0 || view.inner == 0) return;
  const size_t groups = (view.inner + kColumns - 1) / kColumns;
  const size_t grain = items_per_task(4096, view.extent * std::min(view.inner, kColumns));
  parallel_ranges(args.pool, view.outer * groups, grain, [&](size_t begin, size_t end, size_t) {
    for (size_t i = begin; i < end; ++i) {
      const size_t block = i / groups;
      const size_t column = i % groups * kColumns;
      search(src + block * view.extent * view.inner + column, view.extent, view.inner,
             std::min(kColumns, view.inner - column), dst + block * view.inner + column);
    }
  });
}

using Run = void(const RunArgs& args, uint32_t axis);

template <typename Index>
Run* argmax_of(DType x) {
  switch (x) {
    case DType::kS8:
      return argmax<int8_t, Index>;
    case DType::kS32:
      return argmax<int32_t, Index>;
    default:
      return argmax<float, Index>;
  }
}

// argmax: the index of the largest element along `axis`, the first one of equals.
//   x   int8, int32 or float32; `axis` is not empty
//   y   int32 or int64; the shape of x without `axis`, or with extent 1 there (keepdims)
// NaN counts as larger than every number.
class ArgmaxOperator final : public Operator {
 public:
  ArgmaxOperator(const Attributes& attributes, Run* search_all)
      : attributes_(attributes), run_(search_all) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    const uint32_t axis = attributes_.axis;
    Shape shape = inputs[0].shape;
    OperandChecks checks;
    checks.require(axis < shape.rank && shape[axis] > 0 && shape[axis] < kMaxElements,
                   "operand x has shape " + shape.text() + ", expected elements along axis " +
                       std::to_string(axis));
    if (!checks.ok()) return checks.status();
    if (attributes_.keepdims == 1) {
      shape.dims[axis] = 1;
    } else {
      std::copy(shape.dims.begin() + axis + 1, shape.dims.end(), shape.dims.begin() + axis);
      shape.dims[--shape.rank] = 0;
    }
    outputs[0].shape = shape;
    return {};
  }

  void run(const RunArgs& args) const override { run_(args, attributes_.axis); }

  Cost cost(std::span<const TensorDesc> inputs,
            std::span<const TensorDesc> outputs) const override {
    return {inputs[0].shape.elements(), inputs[0].bytes() + outputs[0].bytes()};
  }

 private:
  Attributes attributes_;
  Run* run_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kS8, DType::kF32, DType::kS32});
  checks.of("y", args.outputs[0]).dtype({DType::kS32, DType::kS64});
  if (!checks.ok()) return checks.status();
  const DType x = args.inputs[0].dtype;
  const bool narrow = args.outputs[0].dtype == DType::kS32;
  *op = std::make_unique<ArgmaxOperator>(args.as<Attributes>(),
                                         narrow ? argmax_of<int32_t>(x) : argmax_of<int64_t>(x));
  return {};
}

}  // namespace

const OperatorType argmax_type = {.name = "argmax",
                                  .fields = kFields,
                                  .attribute_bytes = sizeof(Attributes),
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .outputs = 1,
                                  .create = create};

}  // namespace bitpose
