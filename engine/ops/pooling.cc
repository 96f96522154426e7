// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/pooling.h"

#include <algorithm>

namespace bitpose {
namespace {

/// Taps and channels that are worth handing to another thread.
constexpr uint64_t kTaskWork = 1 << 18;

/// The taps of a window on one axis that lie on the picture.
struct Span {
  size_t first = 0;  ///< Input under the first of them.
  size_t count = 0;
};

Span clip(size_t output, size_t stride, size_t dilation, size_t padding, size_t kernel,
          size_t input) {
  const size_t start = output * stride;  // In the padded input.
  const size_t skipped = start < padding ? (padding - start + dilation - 1) / dilation : 0;
  const size_t room = input + padding > start ? (input + padding - start - 1) / dilation + 1 : 0;
  const size_t end = std::min(room, kernel);
  if (skipped >= end) return {};
  return {start + skipped * dilation - padding, end - skipped};
}

uint64_t clipped_taps(const PoolAttributes& attributes, const Shape& input) {
  return uint64_t{std::min(attributes.kernel_h, input[1])} *
         std::min(attributes.kernel_w, input[2]);
}

Status make_geometry(const PoolAttributes& a, const Shape& input, ConvGeometry* geometry) {
  const ConvWindow window{a.stride_h, a.stride_w, a.dilation_h, a.dilation_w,
                          a.pad_top,  a.pad_left, a.pad_bottom, a.pad_right};
  const uint32_t channels = input.rank == 4 ? input[3] : 0;
  return make_conv_geometry(window, a.kernel_h, a.kernel_w, input, channels, geometry,
                            PaddingRule::kAny);
}

}  // namespace

PoolRowWalk::PoolRowWalk(const ConvGeometry& geometry, size_t channels, size_t row)
    : geometry_(geometry), channels_(channels), row_(row) {
  const ConvGeometry& g = geometry_;
  const Span y = clip(row % g.output_h, g.stride_h, g.dilation_h, g.pad_top, g.kernel_h, g.input_h);
  first_y_ = row / g.output_h * g.input_h + y.first;
  kernel_h_ = y.count;
}

bool PoolRowWalk::next(PoolRun* run) {
  const ConvGeometry& g = geometry_;
  if (column_ == g.output_w) return false;
  const Span x = clip(column_, g.stride_w, g.dilation_w, g.pad_left, g.kernel_w, g.input_w);
  size_t outputs = 1;
  if (x.count == g.kernel_w) {
    // The last window that ends within the picture.
    const size_t reach = (g.kernel_w - 1) * g.dilation_w;
    const size_t last = (g.input_w + g.pad_left - 1 - reach) / g.stride_w;
    outputs = std::min(last + 1, g.output_w) - column_;
  }
  run->window = {.m = outputs,
                 .kc = channels_,
                 .kh = kernel_h_,
                 .kw = x.count,
                 .row_step = g.dilation_h * g.input_w * channels_,
                 .tap_step = g.dilation_w * channels_,
                 .src_step = g.stride_w * channels_,
                 .dst_step = channels_};
  run->src_row = first_y_ * g.input_w * channels_;
  run->src_column = x.first * channels_;
  run->dst = (row_ * g.output_w + column_) * channels_;
  column_ += outputs;
  return true;
}

Status PoolOperator::reshape(std::span<const TensorDesc> inputs,
                             std::span<TensorDesc> outputs) const {
  const Shape& input = inputs[0].shape;
  ConvGeometry geometry;
  if (Status status = make_geometry(attributes_, input, &geometry); !status.ok()) return status;
  outputs[0].shape = geometry.output_shape(input[3]);
  return {};
}

Cost PoolOperator::cost(std::span<const TensorDesc> inputs,
                        std::span<const TensorDesc> outputs) const {
  Cost cost = Operator::cost(inputs, outputs);
  cost.macs = outputs[0].shape.elements() * clipped_taps(attributes_, inputs[0].shape);
  return cost;
}

ConvGeometry PoolOperator::geometry_of(const Shape& input) const {
  ConvGeometry geometry{};
  // Cannot fail for a shape that `reshape` accepted; a geometry of zeros has no rows.
  (void)make_geometry(attributes_, input, &geometry).ok();
  return geometry;
}

size_t PoolOperator::rows_per_task(const RunArgs& args) const {
  const Shape& output = args.outputs[0].shape();
  const uint64_t row_work =
      uint64_t{output[2]} * output[3] * clipped_taps(attributes_, args.inputs[0].shape());
  return items_per_task(kTaskWork, row_work);
}

}  // namespace bitpose
