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
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, axis, 0, kMaxRank - 1),
};

// resample_f32: element i of y along `axis` is a weighted sum of elements of x,
//
//   s = w(i, 0) x(k(i, 0)), then s = s + w(i, t) x(k(i, t)) for t = 1, 2, ...
//
// each product and sum rounded: interpolation by any filter, sums over windows.
//   x   float32
//   k   int32 [outputs, taps], constant, indices along `axis`
//   w   float32 [outputs, taps], constant
//   y   float32, the shape of x with `outputs` along `axis`
class ResampleF32Operator final : public Operator {
 public:
  ResampleF32Operator(uint32_t axis, const TensorDesc& indices, const TensorDesc& weights)
      : axis_(axis),
        outputs_(indices.shape[0]),
        taps_(indices.shape[1]),
        indices_(static_cast<const int32_t*>(indices.constant)),
        weights_(static_cast<const float*>(weights.constant)) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    Shape shape = inputs[0].shape;
    OperandChecks checks;
    checks.require(axis_ < shape.rank,
                   text("axis ", axis_, " is not below the rank ", shape.rank, " of x"));
    if (!checks.ok()) return checks.status();
    const bool fits = std::all_of(indices_, indices_ + outputs_ * taps_, [&](int32_t index) {
      return index >= 0 && static_cast<uint32_t>(index) < shape[axis_];
    });
    checks.require(fits,
                   text("an index is not within the ", shape[axis_], " elements of axis ", axis_));
    shape.dims[axis_] = 1;
    const uint64_t rows = shape.elements();
    checks.require(rows == 0 || outputs_ <= kMaxElements / rows,
                   "the output has more than 2^31 elements");
    if (!checks.ok()) return checks.status();
    shape.dims[axis_] = static_cast<uint32_t>(outputs_);
    outputs[0].shape = shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    const AxisView view(args.inputs[0].shape(), axis_);
    const auto* src = args.inputs[0].as<float>();
    auto* dst = args.outputs[0].mutable_as<float>();
    if (view.inner == 0) return;
    const size_t grain = items_per_task(kGrain, view.inner * taps_);
    parallel_ranges(args.pool, view.outer * outputs_, grain, [&](size_t begin, size_t end, size_t) {
      for (size_t i = begin; i < end; ++i) {
        const float* block = src + i / outputs_ * view.extent * view.inner;
        const size_t first = i % outputs_ * taps_;
        row(block, view.inner, indices_ + first, weights_ + first, dst + i * view.inner);
      }
    });
  }

  Cost cost(std::span<const TensorDesc> inputs,
            std::span<const TensorDesc> outputs) const override {
    return {outputs[0].shape.elements() * taps_, inputs[0].bytes() + outputs[0].bytes()};
  }

 private:
  // Products that are worth handing to another thread.
  static constexpr size_t kGrain = 8192;
  // Elements of a row that stay in the cache while taps are added.
  static constexpr size_t kBlock = 512;

  void row(const float* src, size_t n, const int32_t* indices, const float* weights,
           float* dst) const {
    if (n == 1) {
      float sum = weights[0] * src[indices[0]];
      for (size_t t = 1; t < taps_; ++t) sum += weights[t] * src[indices[t]];
      *dst = sum;
      return;
    }
    for (size_t first = 0; first < n; first += kBlock) {
      const size_t count = std::min(kBlock, n - first);
      float* y = dst + first;
      for (size_t t = 0; t < taps_; ++t) {
        const float* x = src + static_cast<size_t>(indices[t]) * n + first;
        const float w = weights[t];
        if (t == 0) {
          for (size_t j = 0; j < count; ++j) y[j] = w * x[j];
        } else {
          for (size_t j = 0; j < count; ++j) y[j] += w * x[j];
        }
      }
    }
  }

  uint32_t axis_;
  size_t outputs_, taps_;
  const int32_t* indices_;
  const float* weights_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const TensorDesc& k = args.inputs[1];
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kF32});
  checks.of("k", k).dtype({DType::kS32}).rank(2).constant();
  checks.of("w", args.inputs[2]).dtype({DType::kF32}).shape(k.shape).constant();
  checks.of("y", args.outputs[0]).dtype({DType::kF32});
  checks.require(k.shape.elements() > 0, text("operand k has shape ", k.shape, ": no tap"));
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<ResampleF32Operator>(args.as<Attributes>().axis, k, args.inputs[2]);
  return {};
}

}  // namespace

const OperatorType resample_f32_type = {.name = "resample_f32",
                                        .fields = kFields,
                                        .attribute_bytes = sizeof(Attributes),
                                        .min_inputs = 3,
                                        .max_inputs = 3,
                                        .outputs = 1,
                                        .create = create};

}  // namespace bitpose
