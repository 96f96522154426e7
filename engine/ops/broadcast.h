// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

#include "engine/model/tensor.h"

namespace bitpose {

/// Consecutive elements of the output of an operator of two or three operands, over which an
/// operand either advances with the output or stays where it is. At least one advances unless n
/// is 1.
struct BroadcastRow {
  size_t n = 0;
  size_t dst = 0;  ///< First element of the output.
  size_t a = 0;    ///< First element of operand a,
  size_t b = 0;    ///< of b,
  size_t c = 0;    ///< and of c, where there is one.
  bool a_advances = false;
  bool b_advances = false;
  bool c_advances = false;
};

/// Rows of `period` elements of one operand, which `count` rows of the other meet one after the
/// other: a value for each channel of a picture. A period of 0 says that there is no such thing.
struct Repetition {
  size_t period = 0;
  size_t count = 0;
  bool of_b = false;  ///< b is the one that repeats.
};

/// How the elements of two or three operands meet under numpy's broadcasting, with as few and as
/// long rows as possible: operands of one shape are a single row.
///
///   const Broadcast broadcast(a_shape, b_shape);
///   parallel_ranges(pool, broadcast.elements(), grain, [&](size_t begin, size_t end, size_t) {
///     BroadcastWalk walk(broadcast, begin, end);
///     for (BroadcastRow row; walk.next(&row);) { ... }
///   });
class Broadcast {
 public:
  /// The shapes must broadcast (`broadcast` in operands.h).
  Broadcast(const Shape& a, const Shape& b, const Shape& c = {});

  /// Elements of the output.
  size_t elements() const { return elements_; }

  /// How the innermost elements of a or b repeat.
  Repetition repetition() const;

 private:
  friend class BroadcastWalk;

  static constexpr size_t kOperands = 3;

  struct Axis {
    size_t extent;
    std::array<size_t, kOperands> strides;  // In elements, 0 along a broadcast axis.
  };

  std::array<Axis, kMaxRank> axes_{};  // Innermost first; strides of the first are 0 or 1.
  size_t rank_ = 0;
  size_t elements_ = 1;
};

/// Walks output elements [begin, end) row by row; the first and the last row may be parts of rows.
class BroadcastWalk {
 public:
  BroadcastWalk(const Broadcast& broadcast, size_t begin, size_t end);

  /// Sets `row` to the next row; false when there is none.
  bool next(BroadcastRow* row);

 private:
  void step();

  const Broadcast& broadcast_;
  size_t position_, end_;
  size_t column_ = 0;  // Of the current row, where its next part starts.
  std::array<size_t, Broadcast::kOperands> at_{};  // The operands at the current row's start.
  std::array<size_t, kMaxRank> index_{};           // Of the row on the axes behind the first.
};

}  // namespace bitpose
