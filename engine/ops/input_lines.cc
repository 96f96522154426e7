// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/input_lines.h"

#include <algorithm>
#include <numeric>

namespace bitpose {
namespace {

size_t phase_count(const ConvGeometry& g) {
  return g.dilation_w / std::gcd(g.dilation_w, g.stride_w);
}

size_t phase_stride(const ConvGeometry& g) {
  return g.stride_w / std::gcd(g.dilation_w, g.stride_w);
}

/// Pointers of the longest line: that of phase 0.
size_t line_width(const ConvGeometry& g) {
  const size_t outputs = (g.output_w - 1) / phase_count(g) + 1;
  return (outputs - 1) * phase_stride(g) + g.kernel_w;
}

/// Rows inside the picture that one window can see.
size_t slot_count(const ConvGeometry& g) { return std::min(g.kernel_h, g.input_h); }

}  // namespace

size_t InputLines::scratch_bytes(const ConvGeometry& geometry) {
  const size_t pointers = geometry.kernel_h + (slot_count(geometry) + 1) * line_width(geometry);
  return pointers * sizeof(void*);
}

InputLines::InputLines(const ConvGeometry& geometry, size_t pixel_bytes, const std::byte* padding,
                       std::byte* scratch)
    : geometry_(geometry),
      pixel_bytes_(pixel_bytes),
      padding_(padding),
      phases_(phase_count(geometry)),
      stride_(phase_stride(geometry)),
      width_(line_width(geometry)),
      slots_(slot_count(geometry)),
      rows_(reinterpret_cast<const std::byte* const**>(scratch)),
      padding_line_(reinterpret_cast<const std::byte**>(rows_ + geometry.kernel_h)),
      lines_(padding_line_ + width_) {
  std::fill_n(padding_line_, width_, padding);
}

size_t InputLines::output_w(size_t phase) const {
  return phase < geometry_.output_w ? (geometry_.output_w - phase - 1) / phases_ + 1 : 0;
}

void InputLines::start(const std::byte* picture, size_t phase) {
  picture_ = picture;
  first_column_ = static_cast<ptrdiff_t>(phase * geometry_.stride_w) -
                  static_cast<ptrdiff_t>(geometry_.pad_left);
  next_row_ = 0;
}

const std::byte* const* const* InputLines::row(size_t y) {
  const ConvGeometry& g = geometry_;
  size_t used = 0;
  for (size_t ky = 0; ky < g.kernel_h; ++ky) {
    // Wraps below zero for rows above the picture, which makes them too large.
    const size_t iy = y * g.stride_h + ky * g.dilation_h - g.pad_top;
    if (iy >= g.input_h) {
      rows_[ky] = padding_line_;
      continue;
    }
    // Neighbouring rows stay in their slots from one output row to the next; rows apart are built
    // anew.
    const bool dense = g.dilation_h == 1;
    const size_t slot = dense ? iy % slots_ : used++;
    const std::byte** line = lines_ + slot * width_;
    if (!dense || iy >= next_row_) {
      fill(picture_ + iy * g.input_w * pixel_bytes_, line);
      next_row_ = iy + 1;
    }
    rows_[ky] = line;
  }
  return rows_;
}

void InputLines::fill(const std::byte* input_row, const std::byte** line) const {
  const auto dilation = static_cast<ptrdiff_t>(geometry_.dilation_w);
  const auto input_w = static_cast<ptrdiff_t>(geometry_.input_w);
  const auto width = static_cast<ptrdiff_t>(width_);
  // Columns first_column + i * dilation are inside the picture for i in [begin, end).
  const auto steps_to = [&](ptrdiff_t column) {
    const ptrdiff_t distance = column - first_column_;
    const ptrdiff_t steps = distance <= 0 ? 0 : (distance + dilation - 1) / dilation;
    return std::min(steps, width);
  };
  const ptrdiff_t begin = steps_to(0);
  const ptrdiff_t end = steps_to(input_w);
  const std::byte** out = std::fill_n(line, begin, padding_);
  const size_t step = geometry_.dilation_w * pixel_bytes_;
  size_t offset = static_cast<size_t>(first_column_ + begin * dilation) * pixel_bytes_;
  for (ptrdiff_t i = begin; i < end; ++i, offset += step) *out++ = input_row + offset;
  std::fill_n(out, width - end, padding_);
}

}  // namespace bitpose
