// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "engine/model/aligned_buffer.h"
#include "engine/ops/conv_rows.h"
#include "engine/ops/convolution.h"
#include "engine/ops/qs8_output.h"
#include "kernels/base/overread.h"
#include "kernels/dwconv_qs8/dwconv_qs8.h"

namespace bitpose {

/// dwconv2d_qs8 and dwconv2d_qs8_f32: everything but the attributes and what is made of the sums,
/// which is `Output` (engine/ops/qs8_output.h).
template <typename Output>
class Dwconv2dQs8Operator final : public ConvOperator {
 public:
  /// The operands have been checked.
  Dwconv2dQs8Operator(const CreateArgs& args, const ConvLayer& layer, const Output& output);

  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc> outputs) const override;
  void run(const RunArgs& args) const override;
  size_t packed_bytes() const override { return packed_.size(); }
  const char* kernel_name() const override { return kernel_->name; }

 private:
  /// Multiply-accumulates that are worth handing to another thread.
  static constexpr size_t kTaskMacs = 200'000;

  /// Output rows of one kernel call: two share their input where it is worth it.
  size_t rows_at_once(const ConvGeometry& g) const {
    return g.stride_h == 1 && g.dilation_h == 1 ? kernel_->output_rows : 1;
  }
  void run_rows(const RunArgs& args, const ConvGeometry& g, const ConvRows& rows,
                std::byte* scratch) const;

  Output output_;
  int8_t input_zero_point_;
  const DwconvQs8Kernel* kernel_;
  AlignedBuffer packed_;
};

template <typename Output>
Dwconv2dQs8Operator<Output>::Dwconv2dQs8Operator(const CreateArgs& args, const ConvLayer& layer,
                                                 const Output& output)
    : ConvOperator(layer),
      output_(output),
      input_zero_point_(static_cast<int8_t>(args.inputs[0].zero_point)) {
  const DwconvQs8Weights weights{layer.channels,
                                 layer.kernel_h,
                                 layer.kernel_w,
                                 static_cast<const int8_t*>(args.inputs[1].constant),
                                 static_cast<const int32_t*>(args.inputs[2].constant),
                                 static_cast<const float*>(args.inputs[3].constant),
                                 input_zero_point_,
                                 args.inputs[1].zero_point};
  kernel_ = &select_dwconv_qs8(args.isas, prove_dwconv_qs8(weights));
  packed_ = AlignedBuffer(packed_dwconv_bytes(*kernel_, weights));
  pack_dwconv(*kernel_, weights, packed_.data());
}

template <typename Output>
size_t Dwconv2dQs8Operator<Output>::scratch_per_thread(std::span<const TensorDesc> inputs,
                                                       std::span<const TensorDesc>) const {
  const size_t pointers = layer().kernel_h + 1 + layer().taps() + 3;
  const size_t padding = size_t{inputs[0].shape[2]} * layer().channels + kOverread;
  return pointers * sizeof(void*) + padding;
}

template <typename Output>
void Dwconv2dQs8Operator<Output>::run_rows(const RunArgs& args, const ConvGeometry& g,
                                           const ConvRows& rows, std::byte* scratch) const {
  const size_t channels = layer().channels;
  auto** input_rows = reinterpret_cast<const int8_t**>(scratch);
  const int8_t** taps = input_rows + g.kernel_h + 1;
  auto* padding = reinterpret_cast<int8_t*>(taps + g.taps() + 3);
  std::fill_n(padding, g.input_w * channels + kOverread, input_zero_point_);
  DwconvQs8Args kernel;
  kernel.channels = channels;
  kernel.kernel_h = g.kernel_h;
  kernel.kernel_w = g.kernel_w;
  kernel.stride_w = g.stride_w;
  kernel.dilation_w = g.dilation_w;
  kernel.pad_left = g.pad_left;
  kernel.input_w = g.input_w;
  kernel.output_w = g.output_w;
  kernel.rows = input_rows;
  kernel.padding = padding;
  kernel.taps = taps;
  kernel.packed = packed_.data();
  kernel.dst_row_stride = g.output_w * channels;
  const auto* input = args.inputs[0].as<int8_t>() + rows.picture * g.input_h * g.input_w * channels;
  auto* output = args.outputs[0].mutable_as<typename Output::Element>() +
                 rows.picture * g.output_h * kernel.dst_row_stride;
  for (size_t y = rows.first; y < rows.end; y += kernel.output_rows) {
    kernel.output_rows = std::min(rows_at_once(g), rows.end - y);
    for (size_t i = 0; i < g.kernel_h + kernel.output_rows - 1; ++i) {
      // Wraps below zero above the picture, which makes it too large.
      const size_t iy = y * g.stride_h + i * g.dilation_h - g.pad_top;
      input_rows[i] = iy < g.input_h ? input + iy * g.input_w * channels : padding;
    }
    output_.direct(kernel, output + y * kernel.dst_row_stride);
    kernel_->run(kernel);
  }
}

template <typename Output>
void Dwconv2dQs8Operator<Output>::run(const RunArgs& args) const {
  const ConvGeometry g = geometry_of(args.inputs[0].shape());
  for_each_rows(args.pool, g, rows_at_once(g), layer().channels, kTaskMacs,
                [&](const ConvRows& rows, size_t thread) {
                  run_rows(args, g, rows, args.scratch_of(thread));
                });
}

}  // namespace bitpose
