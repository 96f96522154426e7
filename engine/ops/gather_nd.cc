// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "engine/ops/operands.h"
#include "engine/ops/operator.h"

namespace bitpose {
namespace {

// gather_nd: y(i..., k...) = x(indices(i..., 0), ..., indices(i..., K - 1), k...).
//   x        any dtype, rank K or more
//   indices  int32 or int64 [..., K], K >= 1
//   y        the dtype of x, shape indices.shape[:-1] + x.shape[K:]
// A negative index counts from the end. An index outside [-extent, extent) is clamped into that
// range, since a run cannot fail on data.
class GatherNdOperator final : public Operator {
 public:
  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    const Shape& x = inputs[0].shape;
    const Shape& indices = inputs[1].shape;
    OperandChecks checks;
    checks.require(indices.rank > 0, "operand indices is a scalar, expected rank 1 or more");
    if (!checks.ok()) return checks.status();
    const uint32_t k = indices[indices.rank - 1];
    checks.require(k >= 1 && k <= x.rank, "operand indices has shape " + indices.text() +
                                              ", expected a last extent of 1 to " +
                                              std::to_string(x.rank) + ", the rank of x");
    checks.require(uint64_t{indices.rank} - 1 + x.rank - k <= kMaxRank,
                   "operands of shapes " + x.text() + " and " + indices.text() +
                       " give an output of more than 6 axes");
    if (!checks.ok()) return checks.status();
    for (uint32_t axis = 0; axis < k; ++axis) {
      checks.require(x[axis] > 0, "operand x has shape " + x.text() + ": no element to gather");
    }
    Shape shape;
    uint64_t elements = 1;
    const auto append = [&](uint32_t extent) {
      shape.dims[shape.rank++] = extent;
      elements *= extent;
      checks.require(elements <= kMaxElements, "the output has more than 2^31 elements");
      elements = std::min(elements, kMaxElements);
    };
    for (uint32_t axis = 0; axis + 1 < indices.rank; ++axis) append(indices[axis]);
    for (uint32_t axis = k; axis < x.rank; ++axis) append(x[axis]);
    if (!checks.ok()) return checks.status();
    outputs[0].shape = shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    if (args.inputs[1].desc->dtype == DType::kS32) {
      gather<int32_t>(args);
    } else {
      gather<int64_t>(args);
    }
  }

  Cost cost(std::span<const TensorDesc> inputs,
            std::span<const TensorDesc> outputs) const override {
    return {inputs[1].shape.elements(), inputs[1].bytes() + 2 * outputs[0].bytes()};
  }

 private:
  template <typename Index>
  static void gather(const RunArgs& args) {
    const Shape& x = args.inputs[0].shape();
    const Shape& indices = args.inputs[1].shape();
    const uint32_t k = indices[indices.rank - 1];
    size_t bytes = dtype_bytes(args.inputs[0].desc->dtype);
    for (uint32_t axis = k; axis < x.rank; ++axis) bytes *= x[axis];
    const auto* src = args.inputs[0].as<std::byte>();
    const auto* index = args.inputs[1].as<Index>();
    auto* dst = args.outputs[0].mutable_as<std::byte>();
    const size_t rows = indices.elements() / k;
    for (size_t row = 0; row < rows; ++row, index += k) {
      size_t position = 0;
      for (uint32_t axis = 0; axis < k; ++axis) {
        position = position * x[axis] + clamped(index[axis], x[axis]);
      }
      std::memcpy(dst + row * bytes, src + position * bytes, bytes);
    }
  }

  static size_t clamped(int64_t index, int64_t extent) {
    if (index < 0) index += extent;
    return static_cast<size_t>(std::clamp<int64_t>(index, 0, extent - 1));
  }
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("indices", args.inputs[1]).dtype({DType::kS32, DType::kS64});
  checks.of("y", args.outputs[0]).dtype({args.inputs[0].dtype});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<GatherNdOperator>();
  return {};
}

}  // namespace

const OperatorType gather_nd_type = {.name = "gather_nd",
                                     .fields = {},
                                     .attribute_bytes = 0,
                                     .min_inputs = 2,
                                     .max_inputs = 2,
                                     .outputs = 1,
                                     .create = create};

}  // namespace bitpose
