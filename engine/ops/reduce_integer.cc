// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/ops/reduction.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

using Block = std::array<int64_t, kReduceColumns>;

/// Reads `n` <= 64 neighbouring elements of any integer dtype.
using Load = void(const std::byte* src, size_t n, Block* dst);
using Store = void(const Block& src, size_t n, std::byte* dst);

template <typename T>
void load(const std::byte* src, size_t n, Block* dst) {
  const auto* from = reinterpret_cast<const T*>(src);
  for (size_t i = 0; i < n; ++i) (*dst)[i] = static_cast<int64_t>(from[i]);
}

template <typename T>
void store(const Block& src, size_t n, std::byte* dst) {
  auto* to = reinterpret_cast<T*>(dst);
  for (size_t i = 0; i < n; ++i) to[i] = static_cast<T>(src[i]);
}

struct Access {
  Load* load;
  Store* store;
};

Access access_to(DType dtype) {
  switch (dtype) {
    case DType::kS8:
      return {load<int8_t>, store<int8_t>};
    case DType::kU8:
    case DType::kBool:
      return {load<uint8_t>, store<uint8_t>};
    case DType::kS16:
      return {load<int16_t>, store<int16_t>};
    case DType::kS32:
      return {load<int32_t>, store<int32_t>};
    default:
      return {load<int64_t>, store<int64_t>};
  }
}

int64_t start_of(ReduceFunction function) {
  switch (function) {
    case ReduceFunction::kProd:
      return 1;
    case ReduceFunction::kMin:
      return std::numeric_limits<int64_t>::max();
    case ReduceFunction::kMax:
      return std::numeric_limits<int64_t>::min();
    default:
      return 0;
  }
}

int64_t sum(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

int64_t product(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

/// f(x) of the first `n` elements, in place.
void map(ReduceFunction function, size_t n, Block* x) {
  if (function == ReduceFunction::kL1) {
    for (size_t i = 0; i < n; ++i) (*x)[i] = (*x)[i] < 0 ? product((*x)[i], -1) : (*x)[i];
  } else if (function == ReduceFunction::kSumSquare) {
    for (size_t i = 0; i < n; ++i) (*x)[i] = product((*x)[i], (*x)[i]);
  }
}

void combine(ReduceFunction function, const int64_t* x, size_t n, int64_t* acc) {
  switch (function) {
    case ReduceFunction::kProd:
      for (size_t i = 0; i < n; ++i) acc[i] = product(acc[i], x[i]);
      return;
    case ReduceFunction::kMin:
      for (size_t i = 0; i < n; ++i) acc[i] = std::min(acc[i], x[i]);
      return;
    case ReduceFunction::kMax:
      for (size_t i = 0; i < n; ++i) acc[i] = std::max(acc[i], x[i]);
      return;
    default:
      for (size_t i = 0; i < n; ++i) acc[i] = sum(acc[i], x[i]);
  }
}

// reduce_integer: each element of y is a function of the elements of x along the axes `axes`.
//   x   int8, uint8, int16, int32 or int64; bool for minimum and maximum
//   y   the dtype of x, the shape of x with extent 1 along `axes`
// Computed modulo 2^64, of which y keeps the low bits. A mean is the sum divided by the number of
// elements, truncated towards zero. There is no L2. Only sums and products are of no elements, too.
class ReduceIntegerOperator final : public Operator {
 public:
  ReduceIntegerOperator(const ReduceAttributes& attributes, DType dtype)
      : axes_(attributes.axes),
        function_(static_cast<ReduceFunction>(attributes.function)),
        bytes_(dtype_bytes(dtype)),
        access_(access_to(dtype)) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    return reduced_shape(inputs[0].shape, axes_, &outputs[0].shape);
  }

  void run(const RunArgs& args) const override {
    const ReductionView view(args.inputs[0].shape(), axes_);
    const auto* src = args.inputs[0].as<std::byte>();
    auto* dst = args.outputs[0].mutable_as<std::byte>();
    const size_t grain = items_per_task(kGrain, view.length());
    parallel_ranges(args.pool, view.pieces(), grain, [&](size_t begin, size_t end, size_t) {
      for (size_t i = begin; i < end; ++i) {
        const ReductionView::Piece piece = view.piece(i);
        Block acc;
        acc.fill(start_of(function_));
        const std::byte* x = src + piece.src * bytes_;
        if (view.step() == 1 && piece.columns == 1) {
          reduce_series(view, x, &acc);
        } else {
          reduce_columns(view, x, piece.columns, &acc);
        }
        if (function_ == ReduceFunction::kMean) {
          for (int64_t& value : acc) value /= static_cast<int64_t>(view.length());
        }
        access_.store(acc, piece.columns, dst + piece.first * bytes_);
      }
    });
  }

  bool takes_empty_inputs() const override {
    return function_ != ReduceFunction::kMin && function_ != ReduceFunction::kMax &&
           function_ != ReduceFunction::kMean;
  }

  Cost cost(std::span<const TensorDesc> inputs,
            std::span<const TensorDesc> outputs) const override {
    return {inputs[0].shape.elements(), inputs[0].bytes() + outputs[0].bytes()};
  }

 private:
  // Elements of series that are worth handing to another thread.
  static constexpr size_t kGrain = 4096;

  void reduce_columns(const ReductionView& view, const std::byte* src, size_t columns,
                      Block* acc) const {
    Block row;
    view.for_each_stretch([&](size_t offset, size_t n) {
      for (size_t i = 0; i < n; ++i) {
        access_.load(src + (offset + i * view.step()) * bytes_, columns, &row);
        map(function_, columns, &row);
        combine(function_, row.data(), columns, acc->data());
      }
    });
  }

  /// Element i of a stretch goes to (*acc)[i % 64]; their order does not matter.
  void reduce_series(const ReductionView& view, const std::byte* src, Block* acc) const {
    Block row;
    view.for_each_stretch([&](size_t offset, size_t n) {
      for (size_t i = 0; i < n; i += kReduceColumns) {
        const size_t part = std::min(kReduceColumns, n - i);
        access_.load(src + (offset + i) * bytes_, part, &row);
        map(function_, part, &row);
        combine(function_, row.data(), part, acc->data());
      }
    });
    for (size_t i = 1; i < kReduceColumns; ++i) combine(function_, &(*acc)[i], 1, acc->data());
  }

  uint32_t axes_;
  ReduceFunction function_;
  size_t bytes_;
  Access access_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto& attributes = args.as<ReduceAttributes>();
  const auto function = static_cast<ReduceFunction>(attributes.function);
  const DType dtype = args.inputs[0].dtype;
  const bool orders = function == ReduceFunction::kMin || function == ReduceFunction::kMax;
  OperandChecks checks;
  checks.of("x", args.inputs[0])
      .dtype({DType::kS8, DType::kU8, DType::kS16, DType::kS32, DType::kS64, DType::kBool});
  checks.of("y", args.outputs[0]).dtype({dtype});
  checks.require(orders || dtype != DType::kBool, "operand x is bool, which has no arithmetic");
  checks.require(function != ReduceFunction::kL2, "integers have no square root");
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<ReduceIntegerOperator>(attributes, dtype);
  return {};
}

}  // namespace

const OperatorType reduce_integer_type = {.name = "reduce_integer",
                                          .fields = kReduceFields,
                                          .attribute_bytes = sizeof(ReduceAttributes),
                                          .min_inputs = 1,
                                          .max_inputs = 1,
                                          .outputs = 1,
                                          .create = create};

}  // namespace bitpose
