// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "engine/ops/integer_blocks.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

/// The integers of a dtype.
struct Limits {
  int64_t low, high;
};

template <typename T>
constexpr Limits limits_of() {
  return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}

Limits limits(DType dtype) {
  switch (dtype) {
    case DType::kS8:
      return limits_of<int8_t>();
    case DType::kU8:
      return limits_of<uint8_t>();
    case DType::kS16:
      return limits_of<int16_t>();
    case DType::kS32:
      return limits_of<int32_t>();
    default:
      return limits_of<int64_t>();
  }
}

/// Truncated towards zero, saturated; NaN becomes 0.
int64_t truncated(float x, Limits range) {
  if (x != x) return 0;
  if (x < -0x1p63f) return range.low;
  if (x >= 0x1p63f) return range.high;
  return std::clamp(static_cast<int64_t>(x), range.low, range.high);
}

void integers_of_floats(const float* src, size_t n, DType to, int64_t* dst) {
  if (to == DType::kBool) {
    for (size_t i = 0; i < n; ++i) dst[i] = src[i] != 0 ? 1 : 0;
    return;
  }
  const Limits range = limits(to);
  for (size_t i = 0; i < n; ++i) dst[i] = truncated(src[i], range);
}

/// Elements [first, first + n), n <= kIntegerBlock. All goes through int64, so that no pair of
/// dtypes needs a loop of its own.
void convert(const TensorRef& x, const TensorRef& y, size_t first, size_t n) {
  const DType from = x.desc->dtype;
  const DType to = y.desc->dtype;
  if (from == DType::kF32 && to == DType::kF32) {
    std::copy_n(x.as<float>() + first, n, y.mutable_as<float>() + first);
    return;
  }
  int64_t block[kIntegerBlock];
  if (from == DType::kF32) {
    integers_of_floats(x.as<float>() + first, n, to, block);
  } else {
    load_integers(from, x.data, first, n, block);
  }
  if (to != DType::kF32) return store_integers(to, block, n, y.data, first);
  float* dst = y.mutable_as<float>() + first;
  for (size_t i = 0; i < n; ++i) dst[i] = static_cast<float>(block[i]);
}

// cast: the elements of x as the dtype of y; codes of quantized tensors count as integers.
//   x, y   any dtypes, equal shapes
class CastOperator final : public Operator {
 public:
  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    outputs[0].shape = inputs[0].shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    parallel_ranges(args.pool, args.outputs[0].shape().elements(), kGrain,
                    [&](size_t begin, size_t end, size_t) {
                      for (size_t i = begin; i < end; i += kIntegerBlock) {
                        convert(args.inputs[0], args.outputs[0], i,
                                std::min(kIntegerBlock, end - i));
                      }
                    });
  }

 private:
  // Elements that are worth handing to another thread.
  static constexpr size_t kGrain = 4096;
};

Status create(const CreateArgs&, std::unique_ptr<Operator>* op) {
  *op = std::make_unique<CastOperator>();
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
