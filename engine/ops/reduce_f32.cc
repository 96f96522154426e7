// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/ops/reduction.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

constexpr size_t kLanes = 16;

struct Sum {
  static constexpr float kStart = 0;
  static float of(float x) { return x; }
  static float combine(float a, float b) { return a + b; }
};

struct SumOfMagnitudes : Sum {
  static float of(float x) { return std::fabs(x); }
};

struct SumOfSquares : Sum {
  static float of(float x) { return x * x; }
};

struct Product {
  static constexpr float kStart = 1;
  static float of(float x) { return x; }
  static float combine(float a, float b) { return a * b; }
};

struct Minimum {
  static constexpr float kStart = std::numeric_limits<float>::infinity();
  static float of(float x) { return x; }
  static float combine(float a, float b) {
    const float smaller = b < a ? b : a;
    return b == b ? smaller : b;
  }
};

struct Maximum {
  static constexpr float kStart = -std::numeric_limits<float>::infinity();
  static float of(float x) { return x; }
  static float combine(float a, float b) {
    const float larger = b > a ? b : a;
    return b == b ? larger : b;
  }
};

/// acc(i) = combine(acc(i), f(x(i))). A function of its own, whose loop is over a number that the
/// compiler does not know: it makes vectors of that, and branches of 16 unrolled comparisons.
template <typename F>
[[gnu::noinline]] void combine_row(float* __restrict acc, const float* __restrict x, size_t n) {
  for (size_t i = 0; i < n; ++i) acc[i] = F::combine(acc[i], F::of(x[i]));
}

/// Up to 64 columns: lane l of column j is lanes[l][j].
template <typename F>
void reduce_columns(const ReductionView& view, const float* src, size_t columns, float* dst) {
  float lanes[kLanes][kReduceColumns];
  for (auto& lane : lanes) std::fill_n(lane, columns, F::kStart);
  const size_t step = view.step();
  size_t index = 0;
  view.for_each_stretch([&](size_t offset, size_t n) {
    const float* row = src + offset;
    for (size_t i = 0; i < n; ++i, ++index, row += step) {
      combine_row<F>(lanes[index % kLanes], row, columns);
    }
  });
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    for (size_t l = 0; l < half; ++l) {
      for (size_t j = 0; j < columns; ++j) {
        lanes[l][j] = F::combine(lanes[l][j], lanes[l + half][j]);
      }
    }
  }
  std::copy_n(lanes[0], columns, dst);
}

/// One series that lies in contiguous stretches.
template <typename F>
void reduce_series(const ReductionView& view, const float* src, float* dst) {
  float lanes[kLanes];
  std::fill_n(lanes, kLanes, F::kStart);
  size_t index = 0;
  view.for_each_stretch([&](size_t offset, size_t n) {
    const float* x = src + offset;
    const float* const end = x + n;
    const auto one = [&] {
      float& lane = lanes[index++ % kLanes];
      lane = F::combine(lane, F::of(*x++));
    };
    while (index % kLanes != 0 && x != end) one();
    for (; end - x >= static_cast<ptrdiff_t>(kLanes); x += kLanes, index += kLanes) {
      combine_row<F>(lanes, x, kLanes);
    }
    while (x != end) one();
  });
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    for (size_t l = 0; l < half; ++l) lanes[l] = F::combine(lanes[l], lanes[l + half]);
  }
  *dst = lanes[0];
}

template <typename F>
void reduce(const ReductionView& view, const float* src, size_t columns, float* dst) {
  if (view.step() == 1 && columns == 1) {
    reduce_series<F>(view, src, dst);
  } else {
    reduce_columns<F>(view, src, columns, dst);
  }
}

using Reduce = void(const ReductionView& view, const float* src, size_t columns, float* dst);

Reduce* reduce_of(ReduceFunction function) {
  switch (function) {
    case ReduceFunction::kSum:
    case ReduceFunction::kMean:
      return reduce<Sum>;
    case ReduceFunction::kProd:
      return reduce<Product>;
    case ReduceFunction::kMin:
      return reduce<Minimum>;
    case ReduceFunction::kMax:
      return reduce<Maximum>;
    case ReduceFunction::kL1:
      return reduce<SumOfMagnitudes>;
    case ReduceFunction::kL2:
    case ReduceFunction::kSumSquare:
      return reduce<SumOfSquares>;
  }
  return nullptr;
}

// reduce_f32: each element of y is a function of the elements of x along the axes `axes`.
//   x   float32
//   y   float32, the shape of x with extent 1 along `axes`
// For the n elements of a series x(0), x(1), ..., the last reduced axis running fastest,
//
//   s(l) = start, then combine(s(l), f(x(l))), combine(s(l), f(x(l + 16))), ...   for 16 lanes l
//   s(l) = combine(s(l), s(l + 8)), then s(l + 4), s(l + 2), s(l + 1)
//
// combine is a + b from 0 (sum, mean, L1, L2, sum of squares), a * b from 1 (product) or, from an
// infinity, b where b < a or b is NaN, else a (minimum; maximum likewise). f is x, |x| (L1) or x *
// x (L2, sum of squares). s(0) is the result, divided by float(n) for a mean, and its square root
// for L2. A series of no elements gives s = start.
class ReduceF32Operator final : public Operator {
 public:
  explicit ReduceF32Operator(const ReduceAttributes& attributes)
      : axes_(attributes.axes),
        function_(static_cast<ReduceFunction>(attributes.function)),
        reduce_(reduce_of(function_)) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    return reduced_shape(inputs[0].shape, axes_, &outputs[0].shape);
  }

  void run(const RunArgs& args) const override {
    const ReductionView view(args.inputs[0].shape(), axes_);
    const auto* src = args.inputs[0].as<float>();
    auto* dst = args.outputs[0].mutable_as<float>();
    const size_t grain = items_per_task(kGrain, view.length());
    parallel_ranges(args.pool, view.pieces(), grain, [&](size_t begin, size_t end, size_t) {
      for (size_t i = begin; i < end; ++i) {
        const ReductionView::Piece piece = view.piece(i);
        float* y = dst + piece.first;
        reduce_(view, src + piece.src, piece.columns, y);
        finish(piece.columns, view.length(), y);
      }
    });
  }

  bool takes_empty_inputs() const override { return true; }

  Cost cost(std::span<const TensorDesc> inputs,
            std::span<const TensorDesc> outputs) const override {
    return {inputs[0].shape.elements(), inputs[0].bytes() + outputs[0].bytes()};
  }

 private:
  // Elements of series that are worth handing to another thread.
  static constexpr size_t kGrain = 4096;

  void finish(size_t n, size_t length, float* y) const {
    if (function_ == ReduceFunction::kMean) {
      for (size_t i = 0; i < n; ++i) y[i] /= static_cast<float>(length);
    } else if (function_ == ReduceFunction::kL2) {
      for (size_t i = 0; i < n; ++i) y[i] = std::sqrt(y[i]);
    }
  }

  uint32_t axes_;
  ReduceFunction function_;
  Reduce* reduce_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kF32});
  checks.of("y", args.outputs[0]).dtype({DType::kF32});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<ReduceF32Operator>(args.as<ReduceAttributes>());
  return {};
}

}  // namespace

const OperatorType reduce_f32_type = {.name = "reduce_f32",
                                      .fields = kReduceFields,
                                      .attribute_bytes = sizeof(ReduceAttributes),
                                      .min_inputs = 1,
                                      .max_inputs = 1,
                                      .outputs = 1,
                                      .create = create};

}  // namespace bitpose
