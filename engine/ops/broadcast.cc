// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/broadcast.h"

#include <algorithm>

namespace bitpose {
namespace {

size_t extent_from_the_end(const Shape& shape, size_t axis) {
  return axis < shape.rank ? shape[shape.rank - 1 - axis] : 1;
}

}  // namespace

Broadcast::Broadcast(const Shape& a, const Shape& b, const Shape& c) {
  const std::array<const Shape*, kOperands> shapes = {&a, &b, &c};
  std::array<size_t, kOperands> steps;
  steps.fill(1);
  for (size_t i = 0; i < std::max({a.rank, b.rank, c.rank}); ++i) {
    Axis axis{1, {}};
    for (size_t k = 0; k < kOperands; ++k) {
      const size_t extent = extent_from_the_end(*shapes[k], i);
      if (extent == 1) continue;
      axis.extent = extent;
      axis.strides[k] = steps[k];
      steps[k] *= extent;
    }
    if (axis.extent == 1) continue;
    elements_ *= axis.extent;
    Axis* inner = rank_ == 0 ? nullptr : &axes_[rank_ - 1];
    bool continues = inner != nullptr;
    for (size_t k = 0; k < kOperands && continues; ++k) {
      continues = axis.strides[k] == inner->strides[k] * inner->extent;
    }
    if (continues) {
      inner->extent *= axis.extent;
    } else {
      axes_[rank_++] = axis;
    }
  }
  if (rank_ == 0) axes_[rank_++] = {1, {}};
}

Repetition Broadcast::repetition() const {
  const auto& [period, inner] = axes_[0];
  if (rank_ < 2 || inner[0] != 1 || inner[1] != 1) return {};
  const auto& [count, outer] = axes_[1];
  if (outer[0] == period && outer[1] == 0) return {period, count, true};
  if (outer[0] == 0 && outer[1] == period) return {period, count, false};
  return {};
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
    for (size_t k = 0; k < at_.size(); ++k) at_[k] += index_[i] * axes[i].strides[k];
  }
}

bool BroadcastWalk::next(BroadcastRow* row) {
  if (position_ >= end_) return false;
  const auto& [extent, strides] = broadcast_.axes_[0];
  const size_t n = std::min(extent - column_, end_ - position_);
  *row = {n,
          position_,
          at_[0] + column_ * strides[0],
          at_[1] + column_ * strides[1],
          at_[2] + column_ * strides[2],
          strides[0] != 0,
          strides[1] != 0,
          strides[2] != 0};
  position_ += n;
  column_ = 0;
  if (position_ < end_) step();
  return true;
}

void BroadcastWalk::step() {
  for (size_t i = 1; i < broadcast_.rank_; ++i) {
    const Broadcast::Axis& axis = broadcast_.axes_[i];
    for (size_t k = 0; k < at_.size(); ++k) at_[k] += axis.strides[k];
    if (++index_[i] < axis.extent) return;
    index_[i] = 0;
    for (size_t k = 0; k < at_.size(); ++k) at_[k] -= axis.extent * axis.strides[k];
  }
}

}  // namespace bitpose
