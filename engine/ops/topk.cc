// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <limits>

#include "engine/model/text.h"
#include "engine/ops/axis_view.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

struct Attributes {
  uint32_t axis;
  uint32_t k;
  uint32_t largest;
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, axis, 0, kMaxRank - 1),
    BITPOSE_FIELD(Attributes, k, 1, kMaxElements - 1),
    BITPOSE_FIELD(Attributes, largest, 0, 1),
};

/// An element as an integer in the same order; NaN is above every number, -0 equals 0.
int64_t key(float x) {
  if (x != x) return std::numeric_limits<int64_t>::max();
  int32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  return bits < 0 ? -int64_t{bits & 0x7fffffff} : int64_t{bits};
}

template <typename T>
int64_t key(T x) {
  return static_cast<int64_t>(x);
}

template <typename T>
void read_keys(const void* src, size_t first, size_t n, size_t stride, int64_t* keys) {
  const auto* x = static_cast<const T*>(src) + first;
  for (size_t i = 0; i < n; ++i) keys[i] = key(x[i * stride]);
}

using ReadKeys = void(const void* src, size_t first, size_t n, size_t stride, int64_t* keys);

ReadKeys* reader(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return read_keys<float>;
    case DType::kS8:
      return read_keys<int8_t>;
    case DType::kU8:
    case DType::kBool:
      return read_keys<uint8_t>;
    case DType::kS16:
      return read_keys<int16_t>;
    case DType::kS32:
      return read_keys<int32_t>;
    case DType::kS64:
      return read_keys<int64_t>;
    case DType::kF16:
      return nullptr;
  }
  return nullptr;
}

// topk: the indices of the k largest (or smallest) elements along `axis`, of all where there are
// fewer, best first; of equals the lower index first.
//   x   any dtype
//   y   int64, the shape of x with k along `axis`
// NaN counts as larger than every number.
class TopkOperator final : public Operator {
 public:
  TopkOperator(const Attributes& attributes, ReadKeys* read)
      : attributes_(attributes), read_(read) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    const auto [axis, k, largest] = attributes_;
    Shape shape = inputs[0].shape;
    OperandChecks checks;
    checks.require(
        axis < shape.rank && shape[axis] < kMaxElements,
        text("operand x has shape ", shape, ", expected fewer elements along axis ", axis));
    if (!checks.ok()) return checks.status();
    shape.dims[axis] = std::min(k, shape[axis]);
    outputs[0].shape = shape;
    return {};
  }

  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc>) const override {
    return inputs[0].shape[attributes_.axis] * (sizeof(int64_t) + sizeof(uint32_t));
  }

  void run(const RunArgs& args) const override {
    const AxisView view(args.inputs[0].shape(), attributes_.axis);
    const size_t n = view.extent;
    const size_t k = std::min<size_t>(attributes_.k, n);
    auto* dst = args.outputs[0].mutable_as<int64_t>();
    const size_t grain = items_per_task(kGrain, n);
    parallel_ranges(
        args.pool, view.outer * view.inner, grain, [&](size_t begin, size_t end, size_t thread) {
          auto* keys = reinterpret_cast<int64_t*>(args.scratch + thread * args.scratch_stride);
          auto* order = reinterpret_cast<uint32_t*>(keys + n);
          for (size_t i = begin; i < end; ++i) {
            const size_t block = i / view.inner;
            const size_t column = i % view.inner;
            read_(args.inputs[0].data, block * n * view.inner + column, n, view.inner, keys);
            sort(keys, n, k, order);
            int64_t* y = dst + block * k * view.inner + column;
            for (size_t j = 0; j < k; ++j) y[j * view.inner] = order[j];
          }
        });
  }

  Cost cost(std::span<const TensorDesc> inputs,
            std::span<const TensorDesc> outputs) const override {
    uint64_t levels = 1;
    while (attributes_.k >> levels != 0) ++levels;
    return {inputs[0].shape.elements() * levels, inputs[0].bytes() + outputs[0].bytes()};
  }

 private:
  // Elements that are worth handing to another thread.
  static constexpr size_t kGrain = 1024;

  /// The first k of `order` become the indices of the best keys.
  void sort(int64_t* keys, size_t n, size_t k, uint32_t* order) const {
    for (size_t i = 0; i < n; ++i) {
      order[i] = static_cast<uint32_t>(i);
      if (attributes_.largest == 0) keys[i] = ~keys[i];
    }
    std::partial_sort(order, order + k, order + n, [keys](uint32_t a, uint32_t b) {
      return keys[a] != keys[b] ? keys[a] > keys[b] : a < b;
    });
  }

  Attributes attributes_;
  ReadKeys* read_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("y", args.outputs[0]).dtype({DType::kS64});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<TopkOperator>(args.as<Attributes>(), reader(args.inputs[0].dtype));
  return {};
}

}  // namespace

const OperatorType topk_type = {.name = "topk",
                                .fields = kFields,
                                .attribute_bytes = sizeof(Attributes),
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .outputs = 1,
                                .create = create};

}  // namespace bitpose
