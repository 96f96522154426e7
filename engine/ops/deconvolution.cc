// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/deconvolution.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "engine/model/text.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

/// One axis of a phase.
struct AxisPhase {
  std::vector<uint32_t> taps;  ///< Descending.
  size_t first = 0;            ///< Output.
  size_t padding = 0;          ///< Wraps below zero.
};

std::vector<AxisPhase> axis_phases(uint32_t kernel, uint64_t stride, uint64_t dilation,
                                   uint64_t padding) {
  std::map<uint64_t, AxisPhase> by_remainder;
  for (uint32_t i = 0; i < kernel; ++i) {
    const uint32_t tap = kernel - 1 - i;
    by_remainder[tap * dilation % stride].taps.push_back(tap);
  }
  std::vector<AxisPhase> phases;
  for (auto& [remainder, phase] : by_remainder) {
    phase.first = (remainder + stride - padding % stride) % stride;
    // The last tap of the first output lies on input (first + padding - tap * dilation) / stride.
    const auto distance = static_cast<int64_t>(phase.taps[0] * dilation) -
                          static_cast<int64_t>(phase.first + padding);
    phase.padding = static_cast<size_t>(distance / static_cast<int64_t>(stride));
    phases.push_back(std::move(phase));
  }
  return phases;
}

/// Outputs along an axis; not positive where nothing is left.
int64_t output_extent(uint64_t input, uint64_t kernel, uint64_t stride, uint64_t dilation,
                      uint64_t pads, uint64_t output_padding) {
  const uint64_t covered = (input - 1) * stride + (kernel - 1) * dilation + 1;
  return static_cast<int64_t>(covered + output_padding) - static_cast<int64_t>(pads);
}

/// How many of `extent` outputs are first, first + stride, ...
size_t phase_extent(size_t extent, size_t first, size_t stride) {
  return first < extent ? (extent - first - 1) / stride + 1 : 0;
}

}  // namespace

DeconvOperator::DeconvOperator(const ConvLayer& layer, const DeconvWindow& window)
    : layer_(layer), window_(window) {
  const ConvWindow& w = layer.window;
  const auto rows = axis_phases(layer.kernel_h, w.stride_h, w.dilation_h, w.pad_top);
  const auto columns = axis_phases(layer.kernel_w, w.stride_w, w.dilation_w, w.pad_left);
  has_gaps_ = rows.size() < w.stride_h || columns.size() < w.stride_w;
  for (const AxisPhase& y : rows) {
    for (const AxisPhase& x : columns) {
      DeconvPhase phase{layer, y.padding, x.padding, y.first, x.first, {}};
      phase.layer.kernel_h = static_cast<uint32_t>(y.taps.size());
      phase.layer.kernel_w = static_cast<uint32_t>(x.taps.size());
      phase.layer.window.dilation_h = w.dilation_h / std::gcd(w.dilation_h, w.stride_h);
      phase.layer.window.dilation_w = w.dilation_w / std::gcd(w.dilation_w, w.stride_w);
      for (const uint32_t ky : y.taps) {
        for (const uint32_t kx : x.taps) phase.taps.push_back(ky * layer.kernel_w + kx);
      }
      phases_.push_back(std::move(phase));
    }
  }
}

Status DeconvOperator::reshape(std::span<const TensorDesc> inputs,
                               std::span<TensorDesc> outputs) const {
  const Shape& x = inputs[0].shape;
  const ConvWindow& w = layer_.window;
  if (x[3] != layer_.channels) {
    return invalid_model(
        text("input ", x, " must have the ", layer_.channels, " channels of the weights"));
  }
  if (x.elements() == 0) return invalid_model(text("input ", x, " is empty"));
  const int64_t height =
      output_extent(x[1], layer_.kernel_h, w.stride_h, w.dilation_h,
                    uint64_t{w.pad_top} + w.pad_bottom, window_.output_padding_h);
  const int64_t width = output_extent(x[2], layer_.kernel_w, w.stride_w, w.dilation_w,
                                      uint64_t{w.pad_left} + w.pad_right, window_.output_padding_w);
  if (height < 1 || width < 1) {
    return invalid_model(
        text("the padding leaves ", height, " x ", width, " outputs of input ", x));
  }
  uint64_t elements = uint64_t{x[0]} * layer_.columns;
  if (__builtin_mul_overflow(elements, static_cast<uint64_t>(height), &elements) ||
      __builtin_mul_overflow(elements, static_cast<uint64_t>(width), &elements) ||
      elements > kMaxElements) {
    return invalid_model(text("the output of ", height, " x ", width, " pixels has more than ",
                              kMaxElements, " elements"));
  }
  outputs[0].shape = {x[0], static_cast<uint32_t>(height), static_cast<uint32_t>(width),
                      layer_.columns};
  return {};
}

Cost DeconvOperator::cost(std::span<const TensorDesc> inputs,
                          std::span<const TensorDesc> outputs) const {
  Cost cost = Operator::cost(inputs, outputs);
  for (const DeconvPhase& phase : phases_) {
    const ConvGeometry geometry = geometry_of(phase, inputs[0].shape, outputs[0].shape);
    cost.macs += geometry.pixels() * phase.taps.size() * layer_.columns * layer_.filter_channels;
  }
  return cost;
}

ConvGeometry DeconvOperator::geometry_of(const DeconvPhase& phase, const Shape& x,
                                         const Shape& y) const {
  const ConvWindow& window = phase.layer.window;
  return {x[0],
          x[1],
          x[2],
          phase_extent(y[1], phase.first_y, window.stride_h),
          phase_extent(y[2], phase.first_x, window.stride_w),
          phase.layer.kernel_h,
          phase.layer.kernel_w,
          1,
          1,
          window.dilation_h,
          window.dilation_w,
          phase.pad_top,
          phase.pad_left};
}

void DeconvOperator::fill_gaps(const RunArgs& args, const void* pixel, size_t pixel_bytes) const {
  if (!has_gaps_) return;
  const Shape& y = args.outputs[0].shape();
  auto* output = args.outputs[0].mutable_as<std::byte>();
  const size_t grain = std::max<size_t>(1, kElementwiseGrain / pixel_bytes);
  parallel_ranges(args.pool, size_t{y[0]} * y[1] * y[2], grain,
                  [&](size_t begin, size_t end, size_t) {
                    for (size_t i = begin; i < end; ++i) {
                      std::memcpy(output + i * pixel_bytes, pixel, pixel_bytes);
                    }
                  });
}

}  // namespace bitpose
