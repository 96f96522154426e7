// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/broadcast.h"

#include <algorithm>

namespace bitpose {
namespace {

size_t extent_from_the_end(const Shape& shape, size_t axis) {
  return axis < shape.rank ? shape[shape.rank - 1 - axis] : 1;
}

}  // namespace

Broadcast::Broadcast(const Shape& a, const Shape& b) {
  size_t a_stride = 1;
  size_t b_stride = 1;
  for (size_t i = 0; i < std::max(a.rank, b.rank); ++i) {
    const size_t a_extent = extent_from_the_end(a, i);
    const size_t b_extent = extent_from_the_end(b, i);
    if (a_extent == 1 && b_extent == 1) continue;
    const Axis axis{a_extent == 1 ? b_extent : a_extent, a_extent == 1 ? 0 : a_stride,
                    b_extent == 1 ? 0 : b_stride};
    a_stride *= a_extent;
    b_stride *= b_extent;
    elements_ *= axis.extent;
    Axis* inner = rank_ == 0 ? nullptr : &axes_[rank_ - 1];
    if (inner != nullptr && axis.a_stride == inner->a_stride * inner->extent &&
        axis.b_stride == inner->b_stride * inner->extent) {
      inner->extent *= axis.extent;
    } else {
      axes_[rank_++] = axis;
    }
  }
  if (rank_ == 0) axes_[rank_++] = {1, 0, 0};
}

BroadcastWalk::BroadcastWalk(const Broadcast& broadcast, size_t begin, size_t end)
    : broadcast_(broadcast), position_(begin), end_(end) {
  if (begin >= end) return;
  const auto& axes = broadcast.axes_;
  column_ = begin % axes[0].extent;
  size_t rest = begin / axes[0].extent;
  for (size_t i = 1; i < broadcast.rank_; ++i) {
    index_[i] = rest % axes[i].extent;
    rest /= axes[i].extent;
    a_ += index_[i] * axes[i].a_stride;
    b_ += index_[i] * axes[i].b_stride;
  }
}

bool BroadcastWalk::next(BroadcastRow* row) {
  if (position_ >= end_) return false;
  const Broadcast::Axis& inner = broadcast_.axes_[0];
  const size_t n = std::min(inner.extent - column_, end_ - position_);
  *row = {n,
          position_,
          a_ + column_ * inner.a_stride,
          b_ + column_ * inner.b_stride,
          inner.a_stride != 0,
          inner.b_stride != 0};
  position_ += n;
  column_ = 0;
  if (position_ < end_) step();
  return true;
}

void BroadcastWalk::step() {
  for (size_t i = 1; i < broadcast_.rank_; ++i) {
    const Broadcast::Axis& axis = broadcast_.axes_[i];
    a_ += axis.a_stride;
    b_ += axis.b_stride;
    if (++index_[i] < axis.extent) return;
    index_[i] = 0;
    a_ -= axis.extent * axis.a_stride;
    b_ -= axis.extent * axis.b_stride;
  }
}

}  // namespace bitpose
