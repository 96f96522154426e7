// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/reduction.h"

#include "engine/model/text.h"

namespace bitpose {

Status reduced_shape(const Shape& x, uint32_t axes, Shape* result) {
  *result = x;
  if (axes >> x.rank != 0) {
    return invalid_model(text("operand x has shape ", x, ", which lacks a reduced axis"));
  }
  for (uint32_t axis = 0; axis < x.rank; ++axis) {
    if ((axes >> axis & 1) != 0) result->dims[axis] = 1;
  }
  return {};
}

ReductionView::ReductionView(const Shape& x, uint32_t axes) {
  size_t stride = 1;
  for (uint32_t axis = x.rank; axis-- > 0; stride *= x[axis]) {
    if (x[axis] == 1) continue;
    const bool is_reduced = (axes >> axis & 1) != 0;
    Axes& list = is_reduced ? reduced_ : kept_;
    size_t& rank = is_reduced ? reduced_rank_ : kept_rank_;
    if (rank > 0 && list[rank - 1].extent * list[rank - 1].stride == stride) {
      list[rank - 1].extent *= x[axis];
    } else {
      list[rank++] = {x[axis], stride};
    }
    (is_reduced ? length_ : outer_) *= x[axis];
  }
  if (kept_rank_ > 0 && kept_[0].stride == 1) {
    columns_ = kept_[0].extent;
    blocks_ = (columns_ + kReduceColumns - 1) / kReduceColumns;
    outer_ /= columns_;
  }
}

ReductionView::Piece ReductionView::piece(size_t i) const {
  const size_t column = i % blocks_ * kReduceColumns;
  size_t row = i / blocks_;
  Piece piece{row * columns_ + column, std::min(kReduceColumns, columns_ - column), column};
  for (size_t axis = columns_ > 1 ? 1 : 0; axis < kept_rank_; ++axis) {
    piece.src += row % kept_[axis].extent * kept_[axis].stride;
    row /= kept_[axis].extent;
  }
  return piece;
}

}  // namespace bitpose
