// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/model/text.h"
#include "engine/ops/axis_view.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

struct Attributes {
  uint32_t axis;
  uint32_t keepdims;
  uint32_t select_last_index;
  uint32_t smallest;
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, axis, 0, kMaxRank - 1),
    BITPOSE_FIELD(Attributes, keepdims, 0, 1),
    BITPOSE_FIELD(Attributes, select_last_index, 0, 1),
    BITPOSE_FIELD(Attributes, smallest, 0, 1),
};

/// Columns that are searched side by side.
constexpr size_t kColumns = 64;

struct Larger {
  template <typename T>
  static bool beats(T a, T b) {
    return !(a <= b) && b == b;
  }
};

struct Smaller {
  template <typename T>
  static bool beats(T a, T b) {
    return !(a >= b) && b == b;
  }
};

/// The rows of the best elements of `count` <= kColumns neighbouring columns, the first of equals.
template <typename Order, typename T>
void search(const T* src, size_t extent, ptrdiff_t stride, size_t count, int32_t* index) {
  T best[kColumns];
  std::copy_n(src, count, best);
  std::fill_n(index, count, 0);
  for (size_t i = 1; i < extent; ++i) {
    const T* row = src + static_cast<ptrdiff_t>(i) * stride;
    for (size_t j = 0; j < count; ++j) {
      const bool wins = Order::beats(row[j], best[j]);
      index[j] = wins ? static_cast<int32_t>(i) : index[j];
      best[j] = wins ? row[j] : best[j];
    }
  }
}

/// Writes the `count` indices of a search that began at the other end if `reversed`.
void write_indices(const int32_t* index, size_t count, size_t extent, bool reversed,
                   const TensorRef& output, size_t first) {
  for (size_t j = 0; j < count; ++j) {
    const int64_t i = reversed ? static_cast<int64_t>(extent) - 1 - index[j] : index[j];
    if (output.desc->dtype == DType::kS32) {
      output.mutable_as<int32_t>()[first + j] = static_cast<int32_t>(i);
    } else {
      output.mutable_as<int64_t>()[first + j] = i;
    }
  }
}

template <typename T, typename Order>
void argmax(const RunArgs& args, uint32_t axis, bool last) {
  const AxisView view(args.inputs[0].shape(), axis);
  const auto* src = args.inputs[0].as<T>();
  if (view.outer == 0 || view.inner == 0) return;
  const size_t groups = (view.inner + kColumns - 1) / kColumns;
  const size_t grain = items_per_task(4096, view.extent * std::min(view.inner, kColumns));
  const auto step = static_cast<ptrdiff_t>(view.inner);
  parallel_ranges(args.pool, view.outer * groups, grain, [&](size_t begin, size_t end, size_t) {
    for (size_t i = begin; i < end; ++i) {
      const size_t block = i / groups;
      const size_t column = i % groups * kColumns;
      const size_t count = std::min(kColumns, view.inner - column);
      const size_t row = block * view.extent + (last ? view.extent - 1 : 0);
      int32_t index[kColumns];
      search<Order>(src + row * view.inner + column, view.extent, last ? -step : step, count,
                    index);
      write_indices(index, count, view.extent, last, args.outputs[0], block * view.inner + column);
    }
  });
}

using Run = void(const RunArgs& args, uint32_t axis, bool last);

template <typename Order>
Run* argmax_of(DType x) {
  switch (x) {
    case DType::kS8:
      return argmax<int8_t, Order>;
    case DType::kS32:
      return argmax<int32_t, Order>;
    default:
      return argmax<float, Order>;
  }
}

// argmax: the index of the largest element along `axis`, or of the smallest one (`smallest`); the
// first one of equals, or the last one (`select_last_index`).
//   x   int8, int32 or float32; `axis` is not empty
//   y   int32 or int64; the shape of x without `axis`, or with extent 1 there (keepdims)
// NaN counts as larger and smaller than every number.
class ArgmaxOperator final : public Operator {
 public:
  ArgmaxOperator(const Attributes& attributes, Run* search_all)
      : attributes_(attributes), run_(search_all) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    const uint32_t axis = attributes_.axis;
    Shape shape = inputs[0].shape;
    OperandChecks checks;
    checks.require(axis < shape.rank && shape[axis] > 0 && shape[axis] < kMaxElements,
                   text("operand x has shape ", shape, ", expected elements along axis ", axis));
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

  void run(const RunArgs& args) const override {
    run_(args, attributes_.axis, attributes_.select_last_index == 1);
  }

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
  const auto& attributes = args.as<Attributes>();
  const DType x = args.inputs[0].dtype;
  *op = std::make_unique<ArgmaxOperator>(
      attributes, attributes.smallest == 1 ? argmax_of<Smaller>(x) : argmax_of<Larger>(x));
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
