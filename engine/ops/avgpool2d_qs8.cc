// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/operands.h"
#include "engine/ops/pooling.h"
#include "engine/ops/scaled_range.h"
#include "kernels/avgpool_qs8/avgpool_qs8.h"

namespace bitpose {
namespace {

struct Attributes {
  PoolAttributes pool;
  uint32_t count_include_pad;
  float multiplier;
  int32_t qmin, qmax;
};

constexpr auto kFields = join_fields(
    kPoolFields, {BITPOSE_FIELD(Attributes, count_include_pad, 0, 1),
                  BITPOSE_FACTOR_FIELD(Attributes, multiplier),
                  BITPOSE_CODE_FIELD(Attributes, qmin), BITPOSE_CODE_FIELD(Attributes, qmax)});

// avgpool2d_qs8: acc = sum of (x - zero point) over the taps of each window that lie on the
// picture, requantized by multiplier / count, where `multiplier` is scale(x) / scale(y) and count
// the number of these taps, or of all taps of a window (count_include_pad). acc is 0 without any
// tap.
//   x   int8 [N,H,W,C]
//   y   int8 [N,OH,OW,C]
class Avgpool2dQs8Operator final : public PoolOperator {
 public:
  Avgpool2dQs8Operator(const CreateArgs& args, const OutputRange& range)
      : PoolOperator(args.as<Attributes>().pool),
        kernel_(select_avgpool_qs8(args.isas)),
        counts_padding_(args.as<Attributes>().count_include_pad == 1),
        multiplier_(args.as<Attributes>().multiplier),
        zero_point_(args.inputs[0].zero_point),
        range_(range) {}

  void run(const RunArgs& args) const override {
    const auto* src = args.inputs[0].as<int8_t>();
    auto* dst = args.outputs[0].mutable_as<int8_t>();
    const int8_t nothing = requantize(0, multiplier_, range_);
    for_each_run(args, nothing, [&](const PoolRun& run) {
      const auto count = static_cast<float>(counts_padding_ ? taps() : run.window.taps());
      kernel_.run({.window = run.window,
                   .src = src + run.src_row + run.src_column,
                   .dst = dst + run.dst,
                   .zero_point = zero_point_,
                   .multiplier = multiplier_ / count,
                   .range = range_});
    });
  }

  const char* kernel_name() const override { return kernel_.name; }

 private:
  const AvgpoolQs8Kernel& kernel_;
  bool counts_padding_;
  float multiplier_;
  int32_t zero_point_;
  OutputRange range_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto& attributes = args.as<Attributes>();
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kS8}).rank(4).quantized();
  checks.of("y", args.outputs[0]).dtype({DType::kS8}).quantized();
  const OutputRange range = output_range(args.outputs[0], attributes.qmin, attributes.qmax, checks);
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<Avgpool2dQs8Operator>(args, range);
  return {};
}

}  // namespace

const OperatorType avgpool2d_qs8_type = {.name = "avgpool2d_qs8",
                                         .fields = kFields,
                                         .attribute_bytes = sizeof(Attributes),
                                         .min_inputs = 1,
                                         .max_inputs = 1,
                                         .outputs = 1,
                                         .create = create};

}  // namespace bitpose
