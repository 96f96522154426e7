// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/model/fields.h"
#include "engine/ops/operator.h"
#include "engine/ops/scaled_range.h"
#include "engine/runtime/parallel.h"

/// What the resize operators share: bilinear interpolation of [N,H,W,C].
namespace bitpose {

/// The first attributes of every resize operator, in the order of the model file.
struct ResizeAttributes {
  uint32_t output_h, output_w;
  float scale_h, scale_w;    ///< Output extent / input extent.
  uint32_t coordinate_mode;  ///< A CoordinateMode.
};

/// The position in the input of output i, by ONNX's names; each step rounds once to float32.
enum class CoordinateMode : uint32_t {
  kHalfPixel = 0,     ///< (i + 0.5) / scale - 0.5
  kAsymmetric = 1,    ///< i / scale
  kAlignCorners = 2,  ///< i * (inputs - 1) / (outputs - 1), or 0 for a single output.
};

/// The largest extent of an input or output along a resized axis: float32 holds every index.
inline constexpr uint32_t kLargestResizeExtent = 1 << 24;

inline constexpr std::array kResizeFields = {
    BITPOSE_FIELD(ResizeAttributes, output_h, 1, kLargestResizeExtent),
    BITPOSE_FIELD(ResizeAttributes, output_w, 1, kLargestResizeExtent),
    BITPOSE_FACTOR_FIELD(ResizeAttributes, scale_h),
    BITPOSE_FACTOR_FIELD(ResizeAttributes, scale_w),
    BITPOSE_FIELD(ResizeAttributes, coordinate_mode, 0, 2),
};

/// Where an output lies between two neighbouring inputs.
struct ResizePoint {
  uint32_t low, high;  ///< The same at the last input.
  float fraction;      ///< Of the way from low to high, in [0, 1).
};

/// Output `i` of an axis. Positions outside the input are moved to its first or last element.
ResizePoint resize_point(CoordinateMode mode, float scale, uint32_t inputs, uint32_t outputs,
                         uint32_t i);

/// Whether pictures of shape `x` can be resized.
Status check_resize(const ResizeAttributes& attributes, const Shape& x);

/// A resize operator: everything but the kernel, whose table of columns has elements of type
/// Column. The table stands in scratch memory.
template <typename Column>
class ResizeOperator : public Operator {
 public:
  explicit ResizeOperator(const ResizeAttributes& attributes) : attributes_(attributes) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    const Shape& x = inputs[0].shape;
    Status status = check_resize(attributes_, x);
    if (status.ok()) outputs[0].shape = {x[0], attributes_.output_h, attributes_.output_w, x[3]};
    return status;
  }

  size_t scratch_per_thread(std::span<const TensorDesc>,
                            std::span<const TensorDesc>) const override {
    return attributes_.output_w * sizeof(Column);
  }

  Cost cost(std::span<const TensorDesc> inputs,
            std::span<const TensorDesc> outputs) const override {
    return {4 * outputs[0].shape.elements(), inputs[0].bytes() + outputs[0].bytes()};
  }

 protected:
  /// An output row: the input rows around it, as indices of all rows of all pictures.
  struct Row {
    size_t top, bottom, output;
    float fraction;
  };

  /// Calls `function(columns, row)` for all output rows. `make_column(point)` is an entry of the
  /// table.
  template <typename MakeColumn, typename F>
  void for_each_row(const RunArgs& args, const MakeColumn& make_column, const F& function) const {
    const Shape& x = args.inputs[0].shape();
    const Shape& y = args.outputs[0].shape();
    const auto mode = static_cast<CoordinateMode>(attributes_.coordinate_mode);
    auto* columns = reinterpret_cast<Column*>(args.scratch);
    for (uint32_t i = 0; i < y[2]; ++i) {
      columns[i] = make_column(resize_point(mode, attributes_.scale_w, x[2], y[2], i));
    }
    const size_t row_elements = size_t{y[2]} * y[3];
    const size_t grain = items_per_task(kTaskElements, row_elements);
    parallel_ranges(args.pool, size_t{y[0]} * y[1], grain, [&](size_t begin, size_t end, size_t) {
      for (size_t i = begin; i < end; ++i) {
        const auto at = static_cast<uint32_t>(i % y[1]);
        const ResizePoint point = resize_point(mode, attributes_.scale_h, x[1], y[1], at);
        const size_t first = i / y[1] * x[1];
        function(columns, Row{first + point.low, first + point.high, i, point.fraction});
      }
    });
  }

 private:
  // Elements of the output that are worth handing to another thread.
  static constexpr size_t kTaskElements = 32768;

  ResizeAttributes attributes_;
};

}  // namespace bitpose
