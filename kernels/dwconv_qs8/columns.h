// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/dwconv_qs8/dwconv_qs8.h"

// The walk of a 3x3 window over a group of channels. In an unnamed namespace: see
// kernels/base/requantize.h.
//
// A Column holds what is under the window in one column of kRows neighbouring input rows, in
// registers: Column::load(const int8_t* const (&rows)[kRows], size_t offset). Where moves between
// registers cost time, kByThree asks for three pixels a turn, which need none. Everything is
// inlined by force, or gcc 12 passes columns through memory.
namespace bitpose {
namespace {

/// The rows of `args` one after the other.
template <typename Run>
inline void for_each_row(const DwconvQs8Args& args, const Run& run) {
  DwconvQs8Args row = args;
  row.output_rows = 1;
  for (size_t r = 0; r < args.output_rows; ++r, ++row.rows) {
    row.real_dst = args.real_dst + r * args.dst_row_stride;
    run(row);
  }
}

/// ROWS is the number of output rows.
template <typename Column, size_t ROWS>
struct Columns {
  const int8_t* rows[Column::kRows];
  const int8_t* padding;
  size_t step, end;
  size_t at;  ///< Offset of the next column; wraps to a large number left of the picture.

  Columns(const DwconvQs8Args& args, size_t c)
      : padding(args.padding + c),
        step(args.channels),
        end(args.input_w * step),
        at(0 - args.pad_left * step) {
#pragma GCC unroll 4
    for (size_t i = 0; i < Column::kRows; ++i) {
      // A fourth row has no weight when there is one output row.
      rows[i] = args.rows[i < ROWS + 2 ? i : ROWS + 1] + c;
    }
  }

  __attribute__((always_inline)) Column column() const {
    if (at < end) [[likely]]
      return Column::load(rows, at);
    const int8_t* same[Column::kRows];
#pragma GCC unroll 4
    for (const int8_t*& row : same) row = padding;
    return Column::load(same, 0);
  }
  __attribute__((always_inline)) Column next() {
    const Column column_at = column();
    at += step;
    return column_at;
  }
};

/// Calls pixel(column0, column1, column2, offset) for every pixel of the first output row, with the
/// columns under its window and where its channels stand behind the start of the output. S is the
/// stride of a filter without dilation, or 0 for any stride and dilation.
template <typename Column, size_t ROWS, int S, typename Pixel>
__attribute__((always_inline)) inline void slide(const DwconvQs8Args& args, size_t c,
                                                 const Pixel& pixel) {
  Columns<Column, ROWS> columns(args, c);
  // Locals: int8 stores may alias whatever is behind a pointer.
  const size_t step = args.channels;
  const size_t stride = args.stride_w * step;
  const size_t dilation = args.dilation_w * step;
  size_t offset = c;
  size_t left = args.output_w;
  if constexpr (S == 1) {
    Column a0 = columns.next();
    Column a1 = columns.next();
    if constexpr (Column::kByThree) {
      for (; left >= 3; left -= 3, offset += 3 * step) {
        const Column a2 = columns.next();
        pixel(a0, a1, a2, offset);
        a0 = columns.next();
        pixel(a1, a2, a0, offset + step);
        a1 = columns.next();
        pixel(a2, a0, a1, offset + 2 * step);
      }
    }
    for (; left > 0; --left, offset += step) {
      const Column a2 = columns.next();
      pixel(a0, a1, a2, offset);
      a0 = a1;
      a1 = a2;
    }
  } else if constexpr (S == 2) {
    Column a0 = columns.next();
    for (; left > 0; --left, offset += step) {
      const Column a1 = columns.next();
      const Column a2 = columns.next();
      pixel(a0, a1, a2, offset);
      a0 = a2;
    }
  } else {
    for (size_t at = columns.at; left > 0; --left, offset += step, at += stride) {
      Column a[3];
      columns.at = at;
#pragma GCC unroll 3
      for (int kx = 0; kx < 3; ++kx, columns.at += dilation) a[kx] = columns.column();
      pixel(a[0], a[1], a[2], offset);
    }
  }
}

}  // namespace
}  // namespace bitpose
