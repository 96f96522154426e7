// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/model/fields.h"
#include "engine/ops/conv_geometry.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"
#include "kernels/base/pool_window.h"

/// What the pooling operators share.
namespace bitpose {

/// The first attributes of every pooling operator, in the order of the model file.
struct PoolAttributes {
  uint32_t kernel_h, kernel_w;
  uint32_t stride_h, stride_w;
  uint32_t dilation_h, dilation_w;
  uint32_t pad_top, pad_left, pad_bottom, pad_right;
};

inline constexpr std::array kPoolFields = {
    BITPOSE_FIELD(PoolAttributes, kernel_h, 1, kLargestWindowExtent),
    BITPOSE_FIELD(PoolAttributes, kernel_w, 1, kLargestWindowExtent),
    BITPOSE_FIELD(PoolAttributes, stride_h, 1, kLargestWindowExtent),
    BITPOSE_FIELD(PoolAttributes, stride_w, 1, kLargestWindowExtent),
    BITPOSE_FIELD(PoolAttributes, dilation_h, 1, kLargestWindowExtent),
    BITPOSE_FIELD(PoolAttributes, dilation_w, 1, kLargestWindowExtent),
    BITPOSE_FIELD(PoolAttributes, pad_top, 0, kLargestWindowExtent),
    BITPOSE_FIELD(PoolAttributes, pad_left, 0, kLargestWindowExtent),
    BITPOSE_FIELD(PoolAttributes, pad_bottom, 0, kLargestWindowExtent),
    BITPOSE_FIELD(PoolAttributes, pad_right, 0, kLargestWindowExtent),
};

/// Neighbouring outputs of one row whose windows, clipped at the picture's edges, have the same
/// extents.
struct PoolRun {
  PoolWindow window;      ///< kh or kw is 0 where windows lie in padding alone.
  size_t src_row = 0;     ///< Element of the input where the windows' first row starts,
  size_t src_column = 0;  ///< and from there the first window.
  size_t dst = 0;         ///< First element of the first output.

  bool is_empty() const { return window.taps() == 0; }
};

/// Walks the outputs of one row of a pooling operator. Rows count those of all pictures.
class PoolRowWalk {
 public:
  PoolRowWalk(const ConvGeometry& geometry, size_t channels, size_t row);

  /// Sets `run` to the next outputs; false when there are none.
  bool next(PoolRun* run);

 private:
  const ConvGeometry& geometry_;
  size_t channels_;
  size_t row_;
  size_t first_y_, kernel_h_;  // Of the clipped windows.
  size_t column_ = 0;
};

/// A pooling operator: everything but the kernel.
class PoolOperator : public Operator {
 public:
  explicit PoolOperator(const PoolAttributes& attributes) : attributes_(attributes) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;

 protected:
  ConvGeometry geometry_of(const Shape& input) const;

  /// Calls `function(row, thread)` for all output rows.
  template <typename F>
  void for_each_row(const RunArgs& args, const ConvGeometry& geometry, const F& function) const {
    parallel_ranges(args.pool, geometry.batch * geometry.output_h, rows_per_task(args),
                    [&](size_t begin, size_t end, size_t thread) {
                      for (size_t row = begin; row < end; ++row) function(row, thread);
                    });
  }

  /// Calls `function(run)` for all outputs but those whose windows lie in padding alone, which
  /// become `nothing`.
  template <typename T, typename F>
  void for_each_run(const RunArgs& args, T nothing, const F& function) const {
    const ConvGeometry geometry = geometry_of(args.inputs[0].shape());
    auto* dst = args.outputs[0].mutable_as<T>();
    for_each_row(args, geometry, [&](size_t row, size_t) {
      PoolRowWalk walk(geometry, args.inputs[0].shape()[3], row);
      for (PoolRun run; walk.next(&run);) {
        if (run.is_empty()) {
          std::fill_n(dst + run.dst, run.window.m * run.window.kc, nothing);
        } else {
          function(run);
        }
      }
    });
  }

  /// The number of taps of a whole window, padding included.
  size_t taps() const { return size_t{attributes_.kernel_h} * attributes_.kernel_w; }

 private:
  size_t rows_per_task(const RunArgs& args) const;

  PoolAttributes attributes_;
};

}  // namespace bitpose
