// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "engine/model/aligned_buffer.h"
#include "engine/ops/conv_geometry.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/thread_pool.h"
#include "kernels/gemm_f32/gemm_f32.h"

namespace bitpose {
namespace {

// conv2d_f32: 2-D convolution of floats; a dense layer is its 1x1 case.
//   x        float32 [N,H,W,C]
//   weights  float32 [O,kh,kw,C], constant
//   bias     float32 [O], constant
//   y        float32 [N,OH,OW,O]
struct Attributes {
  ConvWindow window;
  float fmin, fmax;
};

constexpr auto kFields =
    join_fields(kConvWindowFields, {BITPOSE_FIELD(Attributes, fmin, -kUnbounded, kUnbounded),
                                    BITPOSE_FIELD(Attributes, fmax, -kUnbounded, kUnbounded)});

/// Output pixels of one task: enough rows for whole register tiles, few enough that their inputs
/// stay in the second-level cache while every panel passes over them.
constexpr size_t kBlockRows = 128;
constexpr size_t kBlockBytes = 128 * 1024;

/// Taps of a row that lie side by side in memory are merged into one tap of kw * C floats when a
/// pixel is so small that a tile would spend its time on pointers.
constexpr size_t kMergedChannels = 8;

class Conv2dF32Operator final : public Operator {
 public:
  Conv2dF32Operator(const CreateArgs& args, const Attributes& attributes);

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override;
  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc> outputs) const override;
  void run(const RunArgs& args) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;
  size_t packed_bytes() const override { return panels_.size() + padding_.size() * sizeof(float); }
  const char* kernel_name() const override { return plan_.kernel(0).name; }

 private:
  Status geometry_of(const Shape& input, ConvGeometry* geometry) const {
    return make_conv_geometry(attributes_.window, kernel_h_, kernel_w_, input,
                              static_cast<uint32_t>(columns_), geometry);
  }
  size_t ks() const { return merged_ ? kernel_h_ : size_t{kernel_h_} * kernel_w_; }
  size_t kc() const { return merged_ ? kernel_w_ * channels_ : channels_; }
  size_t pixel_bytes() const { return channels_ * sizeof(float); }
  size_t block_rows() const;
  void run_block(const ConvGeometry& g, const float* input, float* output, size_t first,
                 size_t rows, size_t first_panel, size_t end_panel, std::byte* scratch) const;

  Attributes attributes_;
  uint32_t kernel_h_, kernel_w_;
  size_t channels_, columns_;
  bool merged_;
  GemmF32Plan plan_;
  size_t body_bytes_;  ///< Of one packed panel of the plan's body.
  AlignedBuffer panels_;
  std::vector<float> padding_;  ///< One tap of zeros.
};

Conv2dF32Operator::Conv2dF32Operator(const CreateArgs& args, const Attributes& attributes)
    : attributes_(attributes) {
  const TensorDesc& weights = args.inputs[1];
  columns_ = weights.shape[0];
  kernel_h_ = weights.shape[1];
  kernel_w_ = weights.shape[2];
  channels_ = weights.shape[3];
  merged_ = channels_ <= kMergedChannels && kernel_w_ > 1 && attributes.window.dilation_w == 1;
  const GemmF32Weights layer{columns_, ks(), kc(), static_cast<const float*>(weights.constant),
                             static_cast<const float*>(args.inputs[2].constant)};
  plan_ = plan_gemm_f32(args.isas, columns_);
  body_bytes_ = packed_panel_bytes(plan_.body->nr, ks(), kc());
  const size_t tail_bytes =
      plan_.tail_columns == 0 ? 0 : packed_panel_bytes(plan_.tail->nr, ks(), kc());
  panels_ = AlignedBuffer(plan_.body_panels * body_bytes_ + tail_bytes);
  for (size_t i = 0; i < plan_.panels(); ++i) {
    pack_panel(plan_.kernel(i).nr, layer, plan_.first_column(i),
               reinterpret_cast<float*>(panels_.data() + i * body_bytes_));
  }
  padding_.assign(kc(), 0.0f);
}

Status Conv2dF32Operator::reshape(std::span<const TensorDesc> inputs,
                                  std::span<TensorDesc> outputs) const {
  const Shape& x = inputs[0].shape;
  ConvGeometry g;
  if (Status status = geometry_of(x, &g); !status.ok()) return status;
  if (x[3] != channels_) {
    return invalid_model("conv2d_f32: input " + x.text() + " must have the " +
                         std::to_string(channels_) + " channels of the weights");
  }
  outputs[0].shape = {x[0], static_cast<uint32_t>(g.output_h), static_cast<uint32_t>(g.output_w),
                      static_cast<uint32_t>(columns_)};
  return {};
}

size_t Conv2dF32Operator::block_rows() const {
  const size_t mr = plan_.kernel(0).mr;
  const size_t fit = kBlockBytes / (ks() * kc() * sizeof(float));
  return std::max(std::min(kBlockRows, fit) / mr, size_t{1}) * mr;
}

size_t Conv2dF32Operator::scratch_per_thread(std::span<const TensorDesc>,
                                             std::span<const TensorDesc>) const {
  const size_t taps = block_rows() * ks();
  return taps * sizeof(void*) + (merged_ ? taps * kc() * sizeof(float) : 0);
}

void Conv2dF32Operator::run_block(const ConvGeometry& g, const float* input, float* output,
                                  size_t first, size_t rows, size_t first_panel, size_t end_panel,
                                  std::byte* scratch) const {
  GemmF32Args gemm;
  gemm.m = rows;
  gemm.ks = ks();
  gemm.kc = kc();
  if (g.is_pointwise()) {
    gemm.a = input + first * channels_;
    gemm.a_stride = channels_;
  } else {
    auto** taps = reinterpret_cast<const std::byte**>(scratch);
    const auto* pixels = reinterpret_cast<const std::byte*>(input);
    const auto* padding = reinterpret_cast<const std::byte*>(padding_.data());
    if (merged_) {
      fill_merged_indirection(g, pixels, pixel_bytes(), padding, first, rows, taps,
                              reinterpret_cast<std::byte*>(taps + rows * ks()));
    } else {
      fill_indirection(g, pixels, pixel_bytes(), padding, first, rows, taps);
    }
    gemm.indirection = reinterpret_cast<const float* const*>(taps);
  }
  gemm.dst_stride = columns_;
  gemm.fmin = attributes_.fmin;
  gemm.fmax = attributes_.fmax;
  for (size_t panel = first_panel; panel < end_panel; ++panel) {
    gemm.n = plan_.columns(panel);
    gemm.panel = reinterpret_cast<const float*>(panels_.data() + panel * body_bytes_);
    gemm.dst = output + first * columns_ + plan_.first_column(panel);
    plan_.kernel(panel).run(gemm);
  }
}

void Conv2dF32Operator::run(const RunArgs& args) const {
  ConvGeometry g;
  if (!geometry_of(args.inputs[0].shape(), &g).ok()) return;
  const auto* input = args.inputs[0].as<float>();
  auto* output = args.outputs[0].mutable_as<float>();
  const size_t panels = plan_.panels();
  const size_t rows = block_rows();
  const size_t blocks = (g.pixels() + rows - 1) / rows;
  // Few blocks of rows are split by panels as well, so that every thread gets work.
  const size_t threads = args.pool->threads();
  const size_t groups =
      threads == 1 ? 1 : std::min(panels, std::max<size_t>(1, 4 * threads / blocks));
  args.pool->parallel_for(blocks * groups, [&](size_t task, size_t thread) {
    const size_t first = task / groups * rows;
    const size_t group = task % groups;
    run_block(g, input, output, first, std::min(rows, g.pixels() - first), group * panels / groups,
              (group + 1) * panels / groups, args.scratch + thread * args.scratch_stride);
  });
}

Cost Conv2dF32Operator::cost(std::span<const TensorDesc> inputs,
                             std::span<const TensorDesc> outputs) const {
  Cost cost = Operator::cost(inputs, outputs);
  cost.macs = outputs[0].shape.elements() * ks() * kc();
  return cost;
}

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto& attributes = args.as<Attributes>();
  const TensorDesc& weights = args.inputs[1];
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kF32}).rank(4);
  checks.of("weights", weights).dtype({DType::kF32}).rank(4).constant();
  checks.require(weights.shape.elements() > 0, "conv2d_f32: weights must not be empty");
  checks.of("bias", args.inputs[2]).dtype({DType::kF32}).shape({weights.shape[0]}).constant();
  checks.of("y", args.outputs[0]).dtype({DType::kF32});
  checks.require(attributes.fmin <= attributes.fmax, "conv2d_f32: fmin must not exceed fmax");
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<Conv2dF32Operator>(args, attributes);
  return {};
}

}  // namespace

const OperatorType conv2d_f32_type = {.name = "conv2d_f32",
                                      .fields = kFields,
                                      .attribute_bytes = sizeof(Attributes),
                                      .min_inputs = 3,
                                      .max_inputs = 3,
                                      .outputs = 1,
                                      .create = create};

}  // namespace bitpose
