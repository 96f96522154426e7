// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/model/tensor.h"
#include "engine/ops/operator.h"

/// What operators that select elements by run-time indices share. A negative index counts from the
/// end. An index outside [-extent, extent) is clamped, since a run cannot fail on data.
namespace bitpose {

/// The elements of an index tensor: int32 or int64.
class Indices {
 public:
  explicit Indices(const TensorRef& tensor)
      : data_(tensor.data), wide_(tensor.desc->dtype == DType::kS64) {}

  /// Index `i`, as one of [0, extent).
  size_t within(size_t i, size_t extent) const {
    const int64_t index = wide_ ? static_cast<const int64_t*>(data_)[i]
                                : int64_t{static_cast<const int32_t*>(data_)[i]};
    const auto end = static_cast<int64_t>(extent);
    return static_cast<size_t>(std::clamp<int64_t>(index < 0 ? index + end : index, 0, end - 1));
  }

 private:
  const void* data_;
  bool wide_;
};

/// memcpy, with the sizes of single elements as single moves.
inline void copy_bytes(std::byte* dst, const std::byte* src, size_t bytes) {
  switch (bytes) {
    case 1:
      *dst = *src;
      return;
    case 2:
      std::memcpy(dst, src, 2);
      return;
    case 4:
      std::memcpy(dst, src, 4);
      return;
    case 8:
      std::memcpy(dst, src, 8);
      return;
    default:
      std::memcpy(dst, src, bytes);
  }
}

/// The elements of `data` that gather_elements and scatter_elements mean: element i of `indices`
/// stands for the one at the coordinates of i, but with index indices(i) along `axis`.
class SelectedElements {
 public:
  SelectedElements(const Shape& data, const Shape& indices, uint32_t axis)
      : indices_(indices), axis_(axis), last_(indices.rank - 1), extent_(data[axis]) {
    size_t stride = 1;
    for (uint32_t i = data.rank; i-- > 0; stride *= data[i]) strides_[i] = stride;
  }

  /// Rows of `indices` along its last axis.
  size_t rows() const { return indices_.elements() / columns(); }
  size_t columns() const { return indices_[last_]; }

  /// Calls `function(i, offset)` for every element i of rows [begin, end), in order; `offset` is
  /// that of the element of `data`.
  template <typename F>
  void for_each(const Indices& indices, size_t begin, size_t end, const F& function) const {
    const size_t step = axis_ == last_ ? 0 : 1;
    size_t i = begin * columns();
    for (size_t row = begin; row < end; ++row) {
      const size_t start = row_start(row);
      for (size_t column = 0; column < columns(); ++column, ++i) {
        function(i, start + column * step + indices.within(i, extent_) * strides_[axis_]);
      }
    }
  }

 private:
  size_t row_start(size_t row) const {
    size_t start = 0;
    for (uint32_t i = last_; i-- > 0; row /= indices_[i]) {
      if (i != axis_) start += row % indices_[i] * strides_[i];
    }
    return start;
  }

  Shape indices_;
  uint32_t axis_, last_;
  size_t extent_;
  size_t strides_[kMaxRank] = {};  // Of data, in elements.
};

/// Whether `indices` has the rank of `data` and is nowhere larger but along `axis`.
Status check_selection(const Shape& data, const Shape& indices, uint32_t axis);

/// The shape of the elements that indices [..., K] leave of x behind `batch_dims` common axes:
/// indices.shape[:-1] + x.shape[batch_dims + K:].
Status gathered_shape(const Shape& x, const Shape& indices, uint32_t batch_dims, Shape* result);

}  // namespace bitpose
