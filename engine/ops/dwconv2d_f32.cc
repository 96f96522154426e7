// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "engine/model/aligned_buffer.h"
#include "engine/ops/conv_geometry.h"
#include "engine/ops/input_lines.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"
#include "kernels/base/overread.h"
#include "kernels/dwconv_f32/dwconv_f32.h"

namespace bitpose {
namespace {

// dwconv2d_f32: 2-D convolution of floats, each channel with a filter of its own.
//   x        float32 [N,H,W,C]
//   weights  float32 [kh,kw,C], constant
//   bias     float32 [C], constant
//   y        float32 [N,OH,OW,C]
struct Attributes {
  ConvWindow window;
  float fmin, fmax;
};

constexpr auto kFields =
    join_fields(kConvWindowFields, {BITPOSE_FIELD(Attributes, fmin, -kUnbounded, kUnbounded),
                                    BITPOSE_FIELD(Attributes, fmax, -kUnbounded, kUnbounded)});

/// Work that is worth handing to another thread.
constexpr size_t kTaskMacs = 64 * 1024;

class Dwconv2dF32Operator final : public Operator {
 public:
  Dwconv2dF32Operator(const CreateArgs& args, const Attributes& attributes);

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override;
  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc> outputs) const override;
  void run(const RunArgs& args) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;
  size_t packed_bytes() const override { return packed_.size() + padding_.size() * sizeof(float); }
  const char* kernel_name() const override { return kernel_.name; }

 private:
  Status geometry_of(const Shape& input, ConvGeometry* geometry) const {
    return make_conv_geometry(attributes_.window, kernel_h_, kernel_w_, input,
                              static_cast<uint32_t>(channels_), geometry);
  }
  void run_rows(const ConvGeometry& g, const float* input, float* output, size_t first, size_t end,
                InputLines& lines) const;

  Attributes attributes_;
  uint32_t kernel_h_, kernel_w_;
  size_t channels_;
  const DwconvF32Kernel& kernel_;
  AlignedBuffer packed_;
  std::vector<float> padding_;  ///< A pixel of zeros.
};

Dwconv2dF32Operator::Dwconv2dF32Operator(const CreateArgs& args, const Attributes& attributes)
    : attributes_(attributes), kernel_(select_dwconv_f32(args.isas)) {
  const TensorDesc& weights = args.inputs[1];
  kernel_h_ = weights.shape[0];
  kernel_w_ = weights.shape[1];
  channels_ = weights.shape[2];
  const DwconvF32Weights layer{channels_, size_t{kernel_h_} * kernel_w_,
                               static_cast<const float*>(weights.constant),
                               static_cast<const float*>(args.inputs[2].constant)};
  packed_ = AlignedBuffer(packed_dwconv_bytes(kernel_, layer));
  pack_dwconv(kernel_, layer, reinterpret_cast<float*>(packed_.data()));
  padding_.assign(channels_ + kOverread / sizeof(float), 0.0f);
}

Status Dwconv2dF32Operator::reshape(std::span<const TensorDesc> inputs,
                                    std::span<TensorDesc> outputs) const {
  const Shape& x = inputs[0].shape;
  ConvGeometry g;
  if (Status status = geometry_of(x, &g); !status.ok()) return status;
  if (x[3] != channels_) {
    return invalid_model("dwconv2d_f32: input " + x.text() + " must have the " +
                         std::to_string(channels_) + " channels of the weights");
  }
  outputs[0].shape = {x[0], static_cast<uint32_t>(g.output_h), static_cast<uint32_t>(g.output_w),
                      static_cast<uint32_t>(channels_)};
  return {};
}

size_t Dwconv2dF32Operator::scratch_per_thread(std::span<const TensorDesc> inputs,
                                               std::span<const TensorDesc>) const {
  ConvGeometry g;
  return geometry_of(inputs[0].shape, &g).ok() ? InputLines::scratch_bytes(g) : 0;
}

/// Output rows [first, end) of one picture.
void Dwconv2dF32Operator::run_rows(const ConvGeometry& g, const float* input, float* output,
                                   size_t first, size_t end, InputLines& lines) const {
  DwconvF32Args args;
  args.channels = channels_;
  args.kernel_h = kernel_h_;
  args.kernel_w = kernel_w_;
  args.stride_w = lines.stride();
  args.packed = reinterpret_cast<const float*>(packed_.data());
  args.dst_stride = lines.phases() * channels_;
  args.fmin = attributes_.fmin;
  args.fmax = attributes_.fmax;
  for (size_t phase = 0; phase < lines.phases(); ++phase) {
    args.output_w = lines.output_w(phase);
    if (args.output_w == 0) break;
    lines.start(reinterpret_cast<const std::byte*>(input), phase);
    for (size_t y = first; y < end; ++y) {
      args.lines = reinterpret_cast<const float* const* const*>(lines.row(y));
      args.dst = output + (y * g.output_w + phase) * channels_;
      kernel_.run(args);
    }
  }
}

void Dwconv2dF32Operator::run(const RunArgs& args) const {
  ConvGeometry g;
  if (!geometry_of(args.inputs[0].shape(), &g).ok()) return;
  const auto* input = args.inputs[0].as<float>();
  auto* output = args.outputs[0].mutable_as<float>();
  const size_t row_macs = g.output_w * channels_ * g.taps();
  const size_t grain = kTaskMacs / row_macs + 1;
  const size_t rows = g.batch * g.output_h;
  parallel_ranges(args.pool, rows, grain, [&](size_t begin, size_t end, size_t thread) {
    InputLines lines(g, channels_ * sizeof(float),
                     reinterpret_cast<const std::byte*>(padding_.data()),
                     args.scratch + thread * args.scratch_stride);
    for (size_t row = begin; row < end;) {
      const size_t picture = row / g.output_h;
      const size_t first = row % g.output_h;
      const size_t count = std::min(end - row, g.output_h - first);
      run_rows(g, input + picture * g.input_h * g.input_w * channels_,
               output + picture * g.output_h * g.output_w * channels_, first, first + count, lines);
      row += count;
    }
  });
}

Cost Dwconv2dF32Operator::cost(std::span<const TensorDesc> inputs,
                               std::span<const TensorDesc> outputs) const {
  Cost cost = Operator::cost(inputs, outputs);
  cost.macs = outputs[0].shape.elements() * kernel_h_ * kernel_w_;
  return cost;
}

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto& attributes = args.as<Attributes>();
  const TensorDesc& weights = args.inputs[1];
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kF32}).rank(4);
  checks.of("weights", weights).dtype({DType::kF32}).rank(3).constant();
  checks.require(weights.shape.elements() > 0, "dwconv2d_f32: weights must not be empty");
  checks.of("bias", args.inputs[2]).dtype({DType::kF32}).shape({weights.shape[2]}).constant();
  checks.of("y", args.outputs[0]).dtype({DType::kF32});
  checks.require(attributes.fmin <= attributes.fmax, "dwconv2d_f32: fmin must not exceed fmax");
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<Dwconv2dF32Operator>(args, attributes);
  return {};
}

}  // namespace

const OperatorType dwconv2d_f32_type = {.name = "dwconv2d_f32",
                                        .fields = kFields,
                                        .attribute_bytes = sizeof(Attributes),
                                        .min_inputs = 3,
                                        .max_inputs = 3,
                                        .outputs = 1,
                                        .create = create};

}  // namespace bitpose
