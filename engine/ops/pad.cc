// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "engine/model/text.h"
#include "engine/ops/fill.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

struct Attributes {
  uint32_t before0, before1, before2, before3, before4, before5;
  uint32_t after0, after1, after2, after3, after4, after5;
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, before0, 0, kMaxElements),
    BITPOSE_FIELD(Attributes, before1, 0, kMaxElements),
    BITPOSE_FIELD(Attributes, before2, 0, kMaxElements),
    BITPOSE_FIELD(Attributes, before3, 0, kMaxElements),
    BITPOSE_FIELD(Attributes, before4, 0, kMaxElements),
    BITPOSE_FIELD(Attributes, before5, 0, kMaxElements),
    BITPOSE_FIELD(Attributes, after0, 0, kMaxElements),
    BITPOSE_FIELD(Attributes, after1, 0, kMaxElements),
    BITPOSE_FIELD(Attributes, after2, 0, kMaxElements),
    BITPOSE_FIELD(Attributes, after3, 0, kMaxElements),
    BITPOSE_FIELD(Attributes, after4, 0, kMaxElements),
    BITPOSE_FIELD(Attributes, after5, 0, kMaxElements),
};

using Amounts = std::array<uint32_t, kMaxRank>;

// pad: x with before<i> elements `value` in front of and after<i> behind it along each axis i.
//   x, y   any dtype, the same for both
//   value  one element of that dtype
class PadOperator final : public Operator {
 public:
  explicit PadOperator(const Attributes& a)
      : before_{a.before0, a.before1, a.before2, a.before3, a.before4, a.before5},
        after_{a.after0, a.after1, a.after2, a.after3, a.after4, a.after5} {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    Shape shape = inputs[0].shape;
    OperandChecks checks;
    checks.require(inputs[1].shape.elements() == 1,
                   text("operand value has shape ", inputs[1].shape, ", expected one element"));
    uint64_t elements = 1;
    for (uint32_t axis = 0; axis < kMaxRank; ++axis) {
      const uint64_t added = uint64_t{before_[axis]} + after_[axis];
      checks.require(axis < shape.rank || added == 0,
                     text("x of shape ", shape, " is padded along axis ", axis));
      if (axis >= shape.rank) continue;
      const uint64_t extent = shape[axis] + added;
      checks.require(extent <= kMaxElements, "the output has more than 2^31 elements");
      if (!checks.ok()) return checks.status();
      elements *= extent;
      checks.require(elements <= kMaxElements, "the output has more than 2^31 elements");
      if (!checks.ok()) return checks.status();
      shape.dims[axis] = static_cast<uint32_t>(extent);
    }
    outputs[0].shape = shape;
    return checks.status();
  }

  void run(const RunArgs& args) const override {
    const Shape& x = args.inputs[0].shape();
    const Shape& y = args.outputs[0].shape();
    // Rows run along the last axis that is padded, with all that lies inside of it.
    uint32_t along = x.rank;
    while (along > 0 && x[along - 1] == y[along - 1]) --along;
    const uint32_t outer_axes = along == 0 ? 0 : along - 1;
    size_t inner = 1;
    for (uint32_t axis = along; axis < x.rank; ++axis) inner *= x[axis];
    const size_t n = along == 0 ? inner : inner * x[along - 1];
    const size_t before = along == 0 ? 0 : inner * before_[along - 1];
    const size_t row = along == 0 ? inner : inner * y[along - 1];
    if (row == 0) return;
    const size_t bytes = dtype_bytes(args.inputs[0].desc->dtype);
    const auto* src = args.inputs[0].as<std::byte>();
    const auto* value = args.inputs[1].as<std::byte>();
    auto* dst = args.outputs[0].mutable_as<std::byte>();
    const size_t grain = items_per_task(kCopyGrain, row * bytes);
    const size_t rows = y.elements() / row;
    parallel_ranges(args.pool, rows, grain, [&](size_t begin, size_t end, size_t) {
      for (size_t i = begin; i < end; ++i) {
        std::byte* to = dst + i * row * bytes;
        size_t from = 0;
        if (!source_row(x, y, outer_axes, i, &from)) {
          fill_elements(to, row, value, bytes);
          continue;
        }
        fill_elements(to, before, value, bytes);
        std::memcpy(to + before * bytes, src + from * n * bytes, n * bytes);
        fill_elements(to + (before + n) * bytes, row - before - n, value, bytes);
      }
    });
  }

  bool takes_empty_inputs() const override { return true; }

  Cost cost(std::span<const TensorDesc> inputs,
            std::span<const TensorDesc> outputs) const override {
    return {0, inputs[0].bytes() + outputs[0].bytes()};
  }

 private:
  /// The row of x that row `i` of y holds, over the first `axes` axes; false where it is padding.
  bool source_row(const Shape& x, const Shape& y, uint32_t axes, size_t i, size_t* from) const {
    size_t stride = 1;
    for (uint32_t axis = axes; axis-- > 0;) {
      const size_t index = i % y[axis];
      i /= y[axis];
      if (index < before_[axis] || index >= size_t{before_[axis]} + x[axis]) return false;
      *from += (index - before_[axis]) * stride;
      stride *= x[axis];
    }
    return true;
  }

  Amounts before_, after_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("value", args.inputs[1]).dtype({args.inputs[0].dtype});
  checks.of("y", args.outputs[0]).dtype({args.inputs[0].dtype});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<PadOperator>(args.as<Attributes>());
  return {};
}

}  // namespace

const OperatorType pad_type = {.name = "pad",
                               .fields = kFields,
                               .attribute_bytes = sizeof(Attributes),
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .outputs = 1,
                               .create = create};

}  // namespace bitpose
