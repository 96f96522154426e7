// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/operands.h"
#include "engine/ops/pooling.h"
#include "kernels/maxpool_s8/maxpool_s8.h"

namespace bitpose {
namespace {

constexpr int8_t kLowest = -128;

// maxpool2d_s8: the largest code under each window; padding never wins, and is -128 where there is
// nothing else.
//   x   int8 [N,H,W,C]
//   y   int8 [N,OH,OW,C], quantized like x
class Maxpool2dS8Operator final : public PoolOperator {
 public:
  Maxpool2dS8Operator(const PoolAttributes& attributes, isa::Set isas)
      : PoolOperator(attributes),
        kernel_(select_maxpool_s8(isas)),
        is_split_(taps() >
                  attributes.stride_w * (size_t{attributes.kernel_h} + 1) + attributes.kernel_w) {}

  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc>) const override {
    return is_split_ ? size_t{inputs[0].shape[2]} * inputs[0].shape[3] : 0;
  }

  void run(const RunArgs& args) const override {
    const auto* src = args.inputs[0].as<int8_t>();
    auto* dst = args.outputs[0].mutable_as<int8_t>();
    if (!is_split_) {
      for_each_run(args, kLowest, [&](const PoolRun& run) {
        kernel_.run(run.window, src + run.src_row + run.src_column, dst + run.dst);
      });
      return;
    }
    const ConvGeometry geometry = geometry_of(args.inputs[0].shape());
    for_each_row(args, geometry, [&](size_t row, size_t thread) {
      auto* line = reinterpret_cast<int8_t*>(args.scratch_of(thread));
      run_split(geometry, args.inputs[0].shape()[3], row, src, line, dst);
    });
  }

  const char* kernel_name() const override { return kernel_.name; }

 private:
  // Columns first, into a line as wide as the picture, then windows of the line.
  void run_split(const ConvGeometry& geometry, size_t channels, size_t row, const int8_t* src,
                 int8_t* line, int8_t* dst) const {
    PoolRowWalk walk(geometry, channels, row);
    bool has_line = false;
    for (PoolRun run; walk.next(&run);) {
      if (run.is_empty()) {
        std::fill_n(dst + run.dst, run.window.m * channels, kLowest);
        continue;
      }
      if (!has_line) {
        const size_t elements = geometry.input_w * channels;
        kernel_.run({.m = 1, .kc = elements, .kh = run.window.kh, .row_step = run.window.row_step},
                    src + run.src_row, line);
        has_line = true;
      }
      run.window.kh = 1;
      kernel_.run(run.window, line + run.src_column, dst + run.dst);
    }
  }

  const MaxpoolS8Kernel& kernel_;
  bool is_split_;  ///< Fewer steps when rows and columns of a window are searched separately.
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kS8}).rank(4);
  checks.of("y", args.outputs[0]).dtype({DType::kS8});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<Maxpool2dS8Operator>(args.as<PoolAttributes>(), args.isas);
  return {};
}

}  // namespace

const OperatorType maxpool2d_s8_type = {.name = "maxpool2d_s8",
                                        .fields = kPoolFields,
                                        .attribute_bytes = sizeof(PoolAttributes),
                                        .min_inputs = 1,
                                        .max_inputs = 1,
                                        .outputs = 1,
                                        .create = create};

}  // namespace bitpose
