// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/model/fields.h"
#include "engine/model/status.h"
#include "engine/model/tensor.h"

/// What reduce_f32 and reduce_integer share.
namespace bitpose {

enum class ReduceFunction : uint32_t {
  kSum = 0,
  kMean = 1,
  kProd = 2,
  kMin = 3,
  kMax = 4,
  kL1 = 5,         ///< Sum of magnitudes.
  kL2 = 6,         ///< Square root of the sum of squares.
  kSumSquare = 7,  ///< Sum of squares.
};

struct ReduceAttributes {
  uint32_t function;  ///< A ReduceFunction.
  uint32_t axes;      ///< Bit i: axis i is reduced.
};

inline constexpr Field kReduceFields[] = {
    BITPOSE_FIELD(ReduceAttributes, function, 0, 7),
    BITPOSE_FIELD(ReduceAttributes, axes, 1, (1 << kMaxRank) - 1),
};

/// The shape of x with extent 1 along the reduced axes.
Status reduced_shape(const Shape& x, uint32_t axes, Shape* result);

/// Columns that are reduced side by side.
inline constexpr size_t kReduceColumns = 64;

/// A tensor as the elements that are kept, each the result of a series of elements that are
/// reduced. Neighbouring axes of one kind are merged. `kept` and `reduced` never end in the same
/// memory axis: either neighbouring outputs are neighbours in memory, and are reduced side by side
/// as up to 64 columns, or neighbouring elements of a series are.
class ReductionView {
 public:
  ReductionView(const Shape& x, uint32_t axes);

  /// Pieces of work: each gives the outputs [first, first + columns).
  struct Piece {
    size_t first, columns;
    size_t src;  ///< Offset of the first element of the first series.
  };

  size_t pieces() const { return outer_ * blocks_; }
  Piece piece(size_t i) const;

  /// Elements of a series.
  size_t length() const { return length_; }

  /// Calls `function(offset, n)` for the stretches of a series, in order: n elements from `offset`,
  /// step() apart.
  template <typename F>
  void for_each_stretch(const F& function) const {
    const Axis& inner = reduced_[0];
    std::array<size_t, kMaxRank> index{};
    size_t offset = 0;
    for (size_t done = 0; done < length_; done += inner.extent) {
      function(offset, inner.extent);
      for (size_t i = 1; i < reduced_rank_; ++i) {
        offset += reduced_[i].stride;
        if (++index[i] < reduced_[i].extent) break;
        offset -= reduced_[i].extent * reduced_[i].stride;
        index[i] = 0;
      }
    }
  }

  /// Distance of the elements of a stretch; 1 where a series is contiguous.
  size_t step() const { return reduced_[0].stride; }

 private:
  struct Axis {
    size_t extent = 1, stride = 1;
  };
  using Axes = std::array<Axis, kMaxRank>;

  // Innermost first.
  Axes kept_{}, reduced_{};
  size_t kept_rank_ = 0, reduced_rank_ = 0;
  size_t columns_ = 1, blocks_ = 1, outer_ = 1, length_ = 1;
};

}  // namespace bitpose
