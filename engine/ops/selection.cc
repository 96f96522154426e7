// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/selection.h"

#include "engine/model/text.h"
#include "engine/ops/operands.h"

namespace bitpose {

Status check_selection(const Shape& data, const Shape& indices, uint32_t axis) {
  OperandChecks checks;
  checks.require(axis < data.rank && indices.rank == data.rank,
                 text("operands have shapes ", data, " and ", indices,
                      ", expected equal ranks above axis ", axis));
  if (!checks.ok()) return checks.status();
  for (uint32_t i = 0; i < data.rank; ++i) {
    checks.require(i == axis || indices[i] <= data[i],
                   text("operand indices has shape ", indices, " over ", data,
                        ", expected no larger extents beside axis ", axis));
  }
  return checks.status();
}

Status gathered_shape(const Shape& x, const Shape& indices, uint32_t batch_dims, Shape* result) {
  OperandChecks checks;
  checks.require(indices.rank > batch_dims, text("operand indices has shape ", indices,
                                                 ", expected rank ", batch_dims + 1, " or more"));
  if (!checks.ok()) return checks.status();
  const uint64_t depth = indices[indices.rank - 1];
  checks.require(depth >= 1 && batch_dims + depth <= x.rank,
                 text("operand indices has shape ", indices, ", expected a last extent of 1 to ",
                      int64_t{x.rank} - batch_dims, " for x of shape ", x));
  if (!checks.ok()) return checks.status();
  const auto used = static_cast<uint32_t>(batch_dims + depth);
  checks.require(
      indices.rank - 1 + x.rank - used <= kMaxRank,
      text("operands of shapes ", x, " and ", indices, " give an output of more than 6 axes"));
  for (uint32_t axis = 0; axis < batch_dims; ++axis) {
    checks.require(x[axis] == indices[axis], text("operands of shapes ", x, " and ", indices,
                                                  " differ in their first ", batch_dims, " axes"));
  }
  if (!checks.ok()) return checks.status();
  Shape shape;
  uint64_t elements = 1;
  const auto append = [&](uint32_t extent) {
    shape.dims[shape.rank++] = extent;
    elements *= extent;
    checks.require(elements <= kMaxElements, "the output has more than 2^31 elements");
    elements = std::min(elements, kMaxElements);
  };
  for (uint32_t axis = 0; axis + 1 < indices.rank; ++axis) append(indices[axis]);
  for (uint32_t axis = used; axis < x.rank; ++axis) append(x[axis]);
  *result = shape;
  return checks.status();
}

}  // namespace bitpose
