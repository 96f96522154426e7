// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "engine/model/aligned_buffer.h"
#include "engine/ops/conv_geometry.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"
#include "kernels/base/overread.h"
#include "kernels/dwconv_qs8/dwconv_qs8.h"

namespace bitpose {
namespace {

// dwconv2d_qs8: depthwise 2-D convolution of 8-bit tensors.
//   x           int8 [N,H,W,C]
//   weights     int8 [kh,kw,C], constant; its zero point may be non-zero
//   bias        int32 [C], constant, in units of scale(x) * scale(weights)
//   multiplier  float32 [C], constant: scale(x) * scale(weights) / scale(y)
//   y           int8 [N,OH,OW,C]
struct Attributes {
  ConvWindow window;
  int32_t qmin, qmax;
};

constexpr auto kFields = join_fields(
    kConvWindowFields,
    {BITPOSE_FIELD(Attributes, qmin, -128, 127), BITPOSE_FIELD(Attributes, qmax, -128, 127)});

class Dwconv2dQs8Operator final : public Operator {
 public:
  Dwconv2dQs8Operator(const CreateArgs& args, const Attributes& attributes);

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override;
  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc> outputs) const override;
  void run(const RunArgs& args) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;
  size_t packed_bytes() const override { return packed_.size(); }
  const char* kernel_name() const override { return kernel_->name; }

 private:
  // Multiply-accumulates that are worth handing to another thread.
  static constexpr size_t kGrain = 200'000;

  Status geometry_of(const Shape& input, ConvGeometry* geometry) const {
    return make_conv_geometry(attributes_.window, kernel_h_, kernel_w_, input,
                              static_cast<uint32_t>(channels_), geometry);
  }
  size_t taps() const { return size_t{kernel_h_} * kernel_w_; }
  /// Output rows of one kernel call: two share their input where it is worth it.
  size_t rows_at_once(const ConvGeometry& g) const {
    return g.stride_h == 1 && g.dilation_h == 1 ? kernel_->output_rows : 1;
  }
  void run_rows(const ConvGeometry& g, const int8_t* picture, size_t y, const int8_t** rows,
                const DwconvQs8Args& kernel) const;

  Attributes attributes_;
  OutputRange range_;
  uint32_t kernel_h_, kernel_w_;
  size_t channels_;
  const DwconvQs8Kernel* kernel_;
  AlignedBuffer packed_;
  int8_t input_zero_point_;
};

Dwconv2dQs8Operator::Dwconv2dQs8Operator(const CreateArgs& args, const Attributes& attributes)
    : attributes_(attributes) {
  const TensorDesc& x = args.inputs[0];
  const TensorDesc& weights = args.inputs[1];
  kernel_h_ = weights.shape[0];
  kernel_w_ = weights.shape[1];
  channels_ = weights.shape[2];
  range_ = {args.outputs[0].zero_point, attributes.qmin, attributes.qmax};
  const DwconvQs8Weights layer{channels_,
                               kernel_h_,
                               kernel_w_,
                               static_cast<const int8_t*>(weights.constant),
                               static_cast<const int32_t*>(args.inputs[2].constant),
                               static_cast<const float*>(args.inputs[3].constant),
                               x.zero_point,
                               weights.zero_point};
  kernel_ = &select_dwconv_qs8(args.isas, prove_dwconv_qs8(layer));
  packed_ = AlignedBuffer(packed_dwconv_bytes(*kernel_, layer));
  pack_dwconv(*kernel_, layer, packed_.data());
  input_zero_point_ = static_cast<int8_t>(x.zero_point);
}

Status Dwconv2dQs8Operator::reshape(std::span<const TensorDesc> inputs,
                                    std::span<TensorDesc> outputs) const {
  const Shape& x = inputs[0].shape;
  ConvGeometry g;
  if (Status status = geometry_of(x, &g); !status.ok()) return status;
  if (x[3] != channels_) {
    return invalid_model("dwconv2d_qs8: input " + x.text() + " must have the " +
                         std::to_string(channels_) + " channels of the weights");
  }
  outputs[0].shape = {x[0], static_cast<uint32_t>(g.output_h), static_cast<uint32_t>(g.output_w),
                      x[3]};
  return {};
}

size_t Dwconv2dQs8Operator::scratch_per_thread(std::span<const TensorDesc> inputs,
                                               std::span<const TensorDesc>) const {
  const size_t pointers = kernel_h_ + 1 + taps() + 3;
  return pointers * sizeof(void*) + inputs[0].shape[2] * channels_ + kOverread;
}

/// Output rows from y on, as many as `kernel` is set up for.
void Dwconv2dQs8Operator::run_rows(const ConvGeometry& g, const int8_t* picture, size_t y,
                                   const int8_t** rows, const DwconvQs8Args& kernel) const {
  for (size_t i = 0; i < g.kernel_h + kernel.output_rows - 1; ++i) {
    // Wraps below zero above the picture, which makes it too large.
    const size_t iy = y * g.stride_h + i * g.dilation_h - g.pad_top;
    rows[i] = iy < g.input_h ? picture + iy * g.input_w * channels_ : kernel.padding;
  }
  kernel_->run(kernel);
}

void Dwconv2dQs8Operator::run(const RunArgs& args) const {
  ConvGeometry g;
  if (!geometry_of(args.inputs[0].shape(), &g).ok()) return;
  const auto* input = args.inputs[0].as<int8_t>();
  auto* output = args.outputs[0].mutable_as<int8_t>();
  // A unit is the output rows of one call.
  const size_t unit_rows = rows_at_once(g);
  const size_t units = (g.output_h + unit_rows - 1) / unit_rows;
  const size_t row_size = g.output_w * channels_;
  const size_t grain = std::max<size_t>(1, kGrain / (unit_rows * row_size * taps()));
  parallel_ranges(args.pool, g.batch * units, grain, [&](size_t begin, size_t end, size_t thread) {
    auto** rows = reinterpret_cast<const int8_t**>(args.scratch + thread * args.scratch_stride);
    const int8_t** tap_pointers = rows + g.kernel_h + 1;
    auto* padding = reinterpret_cast<int8_t*>(tap_pointers + taps() + 3);
    std::fill_n(padding, g.input_w * channels_ + kOverread, input_zero_point_);
    DwconvQs8Args kernel;
    kernel.channels = channels_;
    kernel.kernel_h = g.kernel_h;
    kernel.kernel_w = g.kernel_w;
    kernel.stride_w = g.stride_w;
    kernel.dilation_w = g.dilation_w;
    kernel.pad_left = g.pad_left;
    kernel.input_w = g.input_w;
    kernel.output_w = g.output_w;
    kernel.rows = rows;
    kernel.padding = padding;
    kernel.taps = tap_pointers;
    kernel.packed = packed_.data();
    kernel.dst_row_stride = row_size;
    kernel.range = range_;
    for (size_t unit = begin; unit < end; ++unit) {
      const size_t picture = unit / units;
      const size_t y = unit % units * unit_rows;
      kernel.output_rows = std::min(unit_rows, g.output_h - y);
      kernel.dst = output + (picture * g.output_h + y) * row_size;
      run_rows(g, input + picture * g.input_h * g.input_w * channels_, y, rows, kernel);
    }
  });
}

Cost Dwconv2dQs8Operator::cost(std::span<const TensorDesc> inputs,
                               std::span<const TensorDesc> outputs) const {
  Cost cost = Operator::cost(inputs, outputs);
  cost.macs = outputs[0].shape.elements() * taps();
  return cost;
}

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto& attributes = args.as<Attributes>();
  const TensorDesc& weights = args.inputs[1];
  const uint32_t channels = weights.shape[2];
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kS8}).rank(4).quantized();
  checks.of("weights", weights).dtype({DType::kS8}).rank(3).constant();
  checks.require(weights.shape.elements() > 0, "dwconv2d_qs8: weights must not be empty");
  checks.require(weights.zero_point >= -128 && weights.zero_point <= 127,
                 "dwconv2d_qs8: the weights' zero point must be in -128..127");
  checks.of("bias", args.inputs[2]).dtype({DType::kS32}).shape({channels}).constant();
  checks.of("multiplier", args.inputs[3]).dtype({DType::kF32}).shape({channels}).constant();
  checks.of("y", args.outputs[0]).dtype({DType::kS8}).quantized();
  checks.require(attributes.qmin <= attributes.qmax, "dwconv2d_qs8: qmin must not exceed qmax");
  if (!checks.ok()) return checks.status();
  const auto* multiplier = static_cast<const float*>(args.inputs[3].constant);
  checks.require(std::all_of(multiplier, multiplier + channels,
                             [](float m) { return std::isfinite(m) && m > 0; }),
                 "dwconv2d_qs8: every multiplier must be finite and positive");
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<Dwconv2dQs8Operator>(args, attributes);
  return {};
}

}  // namespace

const OperatorType dwconv2d_qs8_type = {.name = "dwconv2d_qs8",
                                        .fields = kFields,
                                        .attribute_bytes = sizeof(Attributes),
                                        .min_inputs = 4,
                                        .max_inputs = 4,
                                        .outputs = 1,
                                        .create = create};

}  // namespace bitpose
