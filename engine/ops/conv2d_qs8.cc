// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/model/aligned_buffer.h"
#include "engine/ops/conv_geometry.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/thread_pool.h"
#include "kernels/base/overread.h"
#include "kernels/igemm_qs8/igemm_qs8.h"
#include "kernels/row_sum_s8/row_sum_s8.h"

namespace bitpose {
namespace {

// conv2d_qs8: 2-D convolution of 8-bit tensors; a dense layer is its 1x1 case.
//   x           int8 [N,H,W,C]
//   weights     int8 [O,kh,kw,C], constant; its zero point may be non-zero
//   bias        int32 [O], constant, in units of scale(x) * scale(weights)
//   multiplier  float32 [O], constant: scale(x) * scale(weights) / scale(y)
//   y           int8 [N,OH,OW,O]
struct Attributes {
  ConvWindow window;
  int32_t qmin, qmax;
};

constexpr auto kFields = join_fields(
    kConvWindowFields,
    {BITPOSE_FIELD(Attributes, qmin, -128, 127), BITPOSE_FIELD(Attributes, qmax, -128, 127)});

/// Output pixels of one task: enough rows for whole register tiles, few enough that their inputs
/// and their indirection stay in the first-level cache while every panel passes over them.
constexpr size_t kBlockRows = 128;
constexpr size_t kBlockBytes = 96 * 1024;

/// Taps of a row that lie side by side in memory are merged into one tap of kw * C bytes when a
/// pixel is so small that single taps would leave most of a step of k empty.
constexpr size_t kMergedChannels = 4;

constexpr size_t round_up(size_t value, size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

class Conv2dQs8Operator final : public Operator {
 public:
  Conv2dQs8Operator(const CreateArgs& args, const Attributes& attributes);

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override;
  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc> outputs) const override;
  void run(const RunArgs& args) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;
  size_t packed_bytes() const override { return panels_.size() + padding_.size(); }
  const char* kernel_name() const override { return kernel_->name; }

 private:
  /// Scratch of one thread: the rows of a block, the sums of their inputs, and the bytes of merged
  /// taps that overlap the picture's edge.
  struct Scratch {
    const std::byte** taps;
    int32_t* row_bias;
    std::byte* patches;
  };

  Status geometry_of(const Shape& input, ConvGeometry* geometry) const {
    return make_conv_geometry(attributes_.window, kernel_h_, kernel_w_, input,
                              static_cast<uint32_t>(columns_), geometry);
  }
  size_t ks() const { return merged_ ? kernel_h_ : size_t{kernel_h_} * kernel_w_; }
  size_t kc() const { return merged_ ? kernel_w_ * channels_ : channels_; }
  size_t block_rows() const;
  Scratch carve(std::byte* memory) const;
  void run_block(const ConvGeometry& g, const std::byte* input, int8_t* output, size_t first,
                 size_t rows, size_t first_panel, size_t end_panel, const Scratch& scratch) const;

  Attributes attributes_;
  OutputRange range_;
  uint32_t kernel_h_, kernel_w_;
  size_t channels_, columns_;
  int32_t weight_zero_point_;
  bool merged_;
  const IgemmQs8Kernel* kernel_;
  const RowSumS8Kernel& row_sum_;
  size_t panel_bytes_;
  AlignedBuffer panels_;
  std::vector<std::byte> padding_;  ///< One tap's worth of the input's zero point.
};

Conv2dQs8Operator::Conv2dQs8Operator(const CreateArgs& args, const Attributes& attributes)
    : attributes_(attributes), row_sum_(select_row_sum_s8(args.isas)) {
  const TensorDesc& x = args.inputs[0];
  const TensorDesc& weights = args.inputs[1];
  columns_ = weights.shape[0];
  kernel_h_ = weights.shape[1];
  kernel_w_ = weights.shape[2];
  channels_ = weights.shape[3];
  weight_zero_point_ = weights.zero_point;
  merged_ = channels_ <= kMergedChannels && kernel_w_ > 1 && attributes.window.dilation_w == 1;
  range_ = {args.outputs[0].zero_point, attributes.qmin, attributes.qmax};

  const IgemmQs8Weights layer{columns_,
                              ks(),
                              kc(),
                              static_cast<const int8_t*>(weights.constant),
                              static_cast<const int32_t*>(args.inputs[2].constant),
                              static_cast<const float*>(args.inputs[3].constant),
                              x.zero_point,
                              weight_zero_point_};
  kernel_ = &select_igemm_qs8(args.isas, prove_igemm_qs8(layer));
  panel_bytes_ = packed_panel_bytes(kernel_->layout, ks(), kc());
  const size_t nr = kernel_->layout.nr;
  const size_t panels = (columns_ + nr - 1) / nr;
  panels_ = AlignedBuffer(panels * panel_bytes_ + kOverread);
  for (size_t i = 0; i < panels; ++i) {
    pack_panel(kernel_->layout, layer, i * nr, panels_.data() + i * panel_bytes_);
  }
  padding_.assign(kc() + kOverread, static_cast<std::byte>(x.zero_point));
}

Status Conv2dQs8Operator::reshape(std::span<const TensorDesc> inputs,
                                  std::span<TensorDesc> outputs) const {
  const Shape& x = inputs[0].shape;
  ConvGeometry g;
  if (Status status = geometry_of(x, &g); !status.ok()) return status;
  if (x[3] != channels_) {
    return invalid_model("conv2d_qs8: input " + x.text() + " must have the " +
                         std::to_string(channels_) + " channels of the weights");
  }
  outputs[0].shape = {x[0], static_cast<uint32_t>(g.output_h), static_cast<uint32_t>(g.output_w),
                      static_cast<uint32_t>(columns_)};
  return {};
}

size_t Conv2dQs8Operator::block_rows() const {
  const size_t mr = kernel_->mr;
  const size_t rows = std::min(kBlockRows, std::max<size_t>(kBlockBytes / (ks() * kc()), mr));
  return std::max(rows / mr, size_t{1}) * mr;
}

size_t Conv2dQs8Operator::scratch_per_thread(std::span<const TensorDesc>,
                                             std::span<const TensorDesc>) const {
  const size_t taps = block_rows() * ks();
  const size_t patches = merged_ ? taps * kc() + kOverread : 0;
  return taps * sizeof(void*) + block_rows() * sizeof(int32_t) + patches;
}

Conv2dQs8Operator::Scratch Conv2dQs8Operator::carve(std::byte* memory) const {
  std::byte* row_bias = memory + block_rows() * ks() * sizeof(void*);
  return {reinterpret_cast<const std::byte**>(memory), reinterpret_cast<int32_t*>(row_bias),
          row_bias + block_rows() * sizeof(int32_t)};
}

void Conv2dQs8Operator::run_block(const ConvGeometry& g, const std::byte* input, int8_t* output,
                                  size_t first, size_t rows, size_t first_panel, size_t end_panel,
                                  const Scratch& scratch) const {
  IgemmQs8Args gemm;
  gemm.m = rows;
  gemm.ks = ks();
  gemm.kc = kc();
  if (g.is_pointwise()) {
    gemm.a = reinterpret_cast<const int8_t*>(input) + first * channels_;
    gemm.a_stride = channels_;
  } else {
    if (merged_) {
      fill_merged_indirection(g, input, channels_, padding_.data(), first, rows, scratch.taps,
                              scratch.patches);
    } else {
      fill_indirection(g, input, channels_, padding_.data(), first, rows, scratch.taps);
    }
    gemm.indirection = reinterpret_cast<const int8_t* const*>(scratch.taps);
  }
  if (weight_zero_point_ != 0) {
    row_sum_.run({rows, gemm.ks, gemm.kc, gemm.a, gemm.a_stride, gemm.indirection,
                  -weight_zero_point_, scratch.row_bias});
    gemm.row_bias = scratch.row_bias;
  }
  gemm.dst_stride = columns_;
  gemm.range = range_;
  const size_t nr = kernel_->layout.nr;
  for (size_t panel = first_panel; panel < end_panel; ++panel) {
    gemm.n = std::min(nr, columns_ - panel * nr);
    gemm.panel = panels_.data() + panel * panel_bytes_;
    gemm.dst = output + first * columns_ + panel * nr;
    kernel_->run(gemm);
  }
}

void Conv2dQs8Operator::run(const RunArgs& args) const {
  ConvGeometry g;
  if (!geometry_of(args.inputs[0].shape(), &g).ok()) return;
  const auto* input = args.inputs[0].as<std::byte>();
  auto* output = args.outputs[0].mutable_as<int8_t>();
  const size_t nr = kernel_->layout.nr;
  const size_t panels = (columns_ + nr - 1) / nr;
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
              (group + 1) * panels / groups, carve(args.scratch + thread * args.scratch_stride));
  });
}

Cost Conv2dQs8Operator::cost(std::span<const TensorDesc> inputs,
                             std::span<const TensorDesc> outputs) const {
  Cost cost = Operator::cost(inputs, outputs);
  cost.macs = outputs[0].shape.elements() * kernel_h_ * kernel_w_ * channels_;
  return cost;
}

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto& attributes = *static_cast<const Attributes*>(args.attributes);
  const TensorDesc& weights = args.inputs[1];
  const uint32_t columns = weights.shape[0];
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kS8}).rank(4).quantized();
  checks.of("weights", weights).dtype({DType::kS8}).rank(4).constant();
  checks.require(weights.shape.elements() > 0, "conv2d_qs8: weights must not be empty");
  checks.require(weights.zero_point >= -128 && weights.zero_point <= 127,
                 "conv2d_qs8: the weights' zero point must be in -128..127");
  checks.of("bias", args.inputs[2]).dtype({DType::kS32}).shape({columns}).constant();
  checks.of("multiplier", args.inputs[3]).dtype({DType::kF32}).shape({columns}).constant();
  checks.of("y", args.outputs[0]).dtype({DType::kS8}).quantized();
  checks.require(attributes.qmin <= attributes.qmax, "conv2d_qs8: qmin must not exceed qmax");
  if (!checks.ok()) return checks.status();
  const auto* multiplier = static_cast<const float*>(args.inputs[3].constant);
  checks.require(std::all_of(multiplier, multiplier + columns,
                             [](float m) { return std::isfinite(m) && m > 0; }),
                 "conv2d_qs8: every multiplier must be finite and positive");
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<Conv2dQs8Operator>(args, attributes);
  return {};
}

}  // namespace

const OperatorType conv2d_qs8_type = {.name = "conv2d_qs8",
                                      .fields = kFields,
                                      .attribute_bytes = sizeof(Attributes),
                                      .min_inputs = 4,
                                      .max_inputs = 4,
                                      .outputs = 1,
                                      .create = create};

}  // namespace bitpose
