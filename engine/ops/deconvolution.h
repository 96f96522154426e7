// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/model/fields.h"
#include "engine/ops/conv_geometry.h"
#include "engine/ops/convolution.h"
#include "engine/ops/operator.h"

/// What the transposed convolutions share.
///
///   y(o) = bias + sum of x(i) * w(k) over the inputs i and taps k with
///          i * stride + k * dilation - pad = o                                   (on each axis)
///
/// Outputs whose o + pad leave the same remainder by the stride see the same taps, those with k *
/// dilation of that remainder. They are a phase: every stride-th row and column of the output, and
/// an ordinary convolution of stride 1 by these taps, last tap first. So no zeros are put between
/// inputs, and nothing is summed in the output.
namespace bitpose {

/// The first attributes of every transposed convolution, in the order of the model file.
struct DeconvWindow {
  ConvWindow window;
  uint32_t output_padding_h, output_padding_w;  ///< Rows and columns at the end.
};

inline constexpr auto kDeconvWindowFields = join_fields(
    kConvWindowFields, {BITPOSE_FIELD(DeconvWindow, output_padding_h, 0, kLargestWindowExtent),
                        BITPOSE_FIELD(DeconvWindow, output_padding_w, 0, kLargestWindowExtent)});

struct DeconvF32Attributes {
  DeconvWindow window;
  float fmin, fmax;
};

inline constexpr auto kDeconvF32Fields = join_fields(
    kDeconvWindowFields, {BITPOSE_FIELD(DeconvF32Attributes, fmin, -kUnbounded, kUnbounded),
                          BITPOSE_FIELD(DeconvF32Attributes, fmax, -kUnbounded, kUnbounded)});

struct DeconvQs8Attributes {
  DeconvWindow window;
  int32_t qmin, qmax;
};

inline constexpr auto kDeconvQs8Fields = join_fields(
    kDeconvWindowFields,
    {BITPOSE_CODE_FIELD(DeconvQs8Attributes, qmin), BITPOSE_CODE_FIELD(DeconvQs8Attributes, qmax)});

/// The outputs of one phase as a convolution over the input.
struct DeconvPhase {
  /// Of the convolution. Of its window only the dilation counts: strides are 1.
  ConvLayer layer;
  size_t pad_top, pad_left;    ///< Padding of the convolution; wraps below zero where it crops.
  size_t first_y, first_x;     ///< The first output pixel.
  std::vector<uint32_t> taps;  ///< Which of the filter's taps are those of `layer`.

  /// The filters of this phase [O][taps][C'] of all filters [O][kh * kw][C'].
  template <typename T>
  std::vector<T> filters(const T* all, size_t all_taps) const;
  /// The filters of this phase [taps][C] of all filters [kh * kw][C].
  template <typename T>
  std::vector<T> depthwise_filters(const T* all) const;
};

/// A transposed convolution: everything but the kernel.
class DeconvOperator : public Operator {
 public:
  /// `layer` is that of the convolution in the other direction but for channels and columns, which
  /// are those of input and output.
  DeconvOperator(const ConvLayer& layer, const DeconvWindow& window);

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;

 protected:
  const ConvLayer& layer() const { return layer_; }
  /// Every phase with taps.
  const std::vector<DeconvPhase>& phases() const { return phases_; }
  /// The convolution of a phase over the whole of an input and output.
  ConvGeometry geometry_of(const DeconvPhase& phase, const Shape& x, const Shape& y) const;

  /// Writes `pixel`, one without taps, to all outputs where there are any such.
  void fill_gaps(const RunArgs& args, const void* pixel, size_t pixel_bytes) const;

 private:
  ConvLayer layer_;
  DeconvWindow window_;
  std::vector<DeconvPhase> phases_;
  bool has_gaps_;  ///< Some outputs see no tap, wherever they are.
};

/// The output pixels of a phase in order.
class PhaseWalk {
 public:
  /// From pixel `first` of the phase on.
  PhaseWalk(const ConvLayer& layer, const DeconvPhase& phase, const ConvGeometry& geometry,
            const Shape& y, size_t first)
      : stride_h_(layer.window.stride_h),
        stride_w_(layer.window.stride_w),
        first_y_(phase.first_y),
        first_x_(phase.first_x),
        output_h_(y[1]),
        output_w_(y[2]),
        rows_(geometry.output_h),
        columns_(geometry.output_w),
        column_(first % columns_),
        row_(first / columns_ % rows_),
        picture_(first / columns_ / rows_) {}

  /// The index of the next pixel among those of the output.
  size_t next() {
    const size_t line = picture_ * output_h_ + first_y_ + row_ * stride_h_;
    const size_t pixel = line * output_w_ + first_x_ + column_ * stride_w_;
    if (++column_ == columns_) {
      column_ = 0;
      if (++row_ == rows_) row_ = 0, ++picture_;
    }
    return pixel;
  }

 private:
  size_t stride_h_, stride_w_, first_y_, first_x_, output_h_, output_w_;
  size_t rows_, columns_;  ///< Of the phase.
  size_t column_, row_, picture_;
};

template <typename T>
std::vector<T> DeconvPhase::filters(const T* all, size_t all_taps) const {
  std::vector<T> found(layer.columns * taps.size() * layer.filter_channels);
  T* to = found.data();
  for (size_t o = 0; o < layer.columns; ++o) {
    for (const uint32_t tap : taps) {
      const T* from = all + (o * all_taps + tap) * layer.filter_channels;
      to = std::copy_n(from, layer.filter_channels, to);
    }
  }
  return found;
}

template <typename T>
std::vector<T> DeconvPhase::depthwise_filters(const T* all) const {
  std::vector<T> found;
  for (const uint32_t tap : taps) {
    const T* from = all + size_t{tap} * layer.channels;
    found.insert(found.end(), from, from + layer.channels);
  }
  return found;
}

}  // namespace bitpose
