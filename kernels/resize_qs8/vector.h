// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/base/partial.h"
#include "kernels/resize_qs8/elements.h"

// The walk over outputs, 8 at a time. Channels are lanes. An enlarged picture has several columns
// between the same two pixels, which are converted to numbers once for all of them. In an unnamed
// namespace: see kernels/base/requantize.h.
//
// A Blend is the arithmetic of 8 outputs:
//
//   Blend(const ResizeQs8Args& args)
//   Corners corners(top_left, top_right, bottom_left, bottom_right)   8 codes each, as numbers
//   Weights::splat(left, right), Weights::load(left, right)           of one or 8 columns
//   Codes codes(const Corners& corners, const Weights& weights)
//   static void store(int8_t* dst, Codes codes, size_t count)         the first count <= 8
namespace bitpose {
namespace {

/// 8 channels of all columns, from channel c on; there is a column.
template <typename Blend>
void resize_channels(const ResizeQs8Args& args, const Blend& blend, size_t c) {
  const int8_t* top = args.top + c;
  const int8_t* bottom = args.bottom + c;
  const auto corners = [&](const ResizeQs8Column& at) {
    return blend.corners(top + at.left, top + at.right, bottom + at.left, bottom + at.right);
  };
  const ResizeQs8Column* held = args.columns;
  typename Blend::Corners x = corners(*held);
  int8_t* dst = args.dst + c;
  const ResizeQs8Column* end = args.columns + args.n;
  for (const ResizeQs8Column* column = args.columns; column < end; ++column, dst += args.kc) {
    if (column->left != held->left || column->right != held->right) x = corners(*column);
    held = column;
    const auto weights = Blend::Weights::splat(column->left_weight, column->right_weight);
    Blend::store(dst, blend.codes(x, weights), 8);
  }
}

/// kc < 8: several columns at a time.
template <typename Blend>
void resize_elements(const ResizeQs8Args& args, const Blend& blend) {
  Elements elements;
  Walk walk{args.columns};
  size_t rest = args.n * args.kc;
  for (int8_t* dst = args.dst; rest > 0;) {
    const size_t count = rest < Elements::kMost ? rest : Elements::kMost;
    walk.gather(args, count, elements);
    for (size_t e = 0; e < count; e += 8) {
      const auto x = blend.corners(elements.top_left + e, elements.top_right + e,
                                   elements.bottom_left + e, elements.bottom_right + e);
      const auto weights =
          Blend::Weights::load(elements.left_weight + e, elements.right_weight + e);
      Blend::store(dst + e, blend.codes(x, weights), count - e < 8 ? count - e : 8);
    }
    dst += count;
    rest -= count;
  }
}

template <typename Blend>
void resize_qs8(const ResizeQs8Args& args) {
  if (args.n == 0) return;
  const Blend blend(args);
  if (args.kc < 8) {
    resize_elements(args, blend);
    return;
  }
  // The last 8 channels reach back over channels that are done already.
  for (size_t k = 0; k < args.kc; k += 8) {
    resize_channels(args, blend, k < args.kc - 8 ? k : args.kc - 8);
  }
}

}  // namespace
}  // namespace bitpose
