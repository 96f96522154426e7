// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "engine/ops/conv_geometry.h"

namespace bitpose {

/// Lines of pointers to input pixels, padding included, for the depthwise kernels
/// (kernels/dwconv_f32/dwconv_f32.h), in scratch of one thread.
///
/// A dilated filter is split into phases: the outputs of a phase are every phases()-th column, and
/// all pixels under them are dilation_w apart, so that a line of just these pixels has no dilation:
///
///   InputLines lines(geometry, pixel_bytes, padding, scratch);
///   for (size_t phase = 0; phase < lines.phases(); ++phase) {
///     lines.start(picture, phase);
///     for (size_t y = ...; y < ...; ++y) {
///       // lines.row(y) for output columns phase, phase + phases(), ...
///     }
///   }
///
/// Rows that an output row shares with the one before are not built again.
class InputLines {
 public:
  /// Scratch bytes, a multiple of the size of a pointer.
  static size_t scratch_bytes(const ConvGeometry& geometry);

  /// `padding` is a pixel of padding values.
  InputLines(const ConvGeometry& geometry, size_t pixel_bytes, const std::byte* padding,
             std::byte* scratch);

  size_t phases() const { return phases_; }
  /// Columns of the line between neighbouring outputs of a phase.
  size_t stride() const { return stride_; }
  /// Output columns of a phase, 0 when there are more phases than columns.
  size_t output_w(size_t phase) const;

  /// Turns to another picture [H][W] of pixels or another phase.
  void start(const std::byte* picture, size_t phase);

  /// The lines under output row y: kernel_h of them. Within a phase, y may only grow.
  const std::byte* const* const* row(size_t y);

 private:
  void fill(const std::byte* input_row, const std::byte** line) const;

  const ConvGeometry& geometry_;
  const size_t pixel_bytes_;
  const std::byte* const padding_;
  const size_t phases_, stride_;
  const size_t width_;  ///< Pointers of a line.
  const size_t slots_;  ///< Lines in scratch, beside the one of padding.

  const std::byte* picture_ = nullptr;
  ptrdiff_t first_column_ = 0;  ///< Input column that the phase's lines start at.
  size_t next_row_ = 0;         ///< Input rows before it have their lines.

  const std::byte* const** rows_;   ///< [kernel_h]: what row() returns.
  const std::byte** padding_line_;  ///< [width].
  const std::byte** lines_;         ///< [slots][width].
};

}  // namespace bitpose
