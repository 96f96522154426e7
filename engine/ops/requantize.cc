// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/ops/scaled_range.h"
#include "engine/runtime/parallel.h"
#include "kernels/dequantize_qs16_f32/dequantize_qs16_f32.h"
#include "kernels/dequantize_qs8_f32/dequantize_qs8_f32.h"
#include "kernels/quantize_f32_qs16/quantize_f32_qs16.h"
#include "kernels/quantize_f32_qs8/quantize_f32_qs8.h"

namespace bitpose {
namespace {

struct Attributes {
  int32_t qmin, qmax;
};

constexpr Field kFields[] = {
    BITPOSE_CODE16_FIELD(Attributes, qmin),
    BITPOSE_CODE16_FIELD(Attributes, qmax),
};

// requantize: the codes of x in the steps of y, as dequantizing and quantizing give them:
//   y = quantize(float(x - zero point(x)) * scale(x), scale(y), range) (kernels/base/quantize.h) x
//   int8 or int16, any shape y   int8 or int16, the shape of x
// From int8 to int16 with the same scale and zero point 0 it gives x - zero point(x), exactly: the
// two roundings are off by less than half a step as long as codes have fewer than 22 bits. From
// int8 to int8 a lut_x8 is faster.
class RequantizeOperator final : public Operator {
 public:
  RequantizeOperator(const CreateArgs& args, const OutputRange& range)
      : from8_(select_dequantize_qs8_f32(args.isas)),
        from16_(select_dequantize_qs16_f32(args.isas)),
        to8_(select_quantize_f32_qs8(args.isas)),
        to16_(select_quantize_f32_qs16(args.isas)),
        range_(range) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    outputs[0].shape = inputs[0].shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    parallel_ranges(args.pool, args.outputs[0].shape().elements(), kElementwiseGrain,
                    [&](size_t begin, size_t end, size_t) {
                      for (size_t i = begin; i < end; i += kBlock) {
                        convert(args.inputs[0], args.outputs[0], i, std::min(kBlock, end - i));
                      }
                    });
  }

 private:
  /// The numbers of a block stay in the first-level cache.
  static constexpr size_t kBlock = 512;

  void convert(const TensorRef& x, const TensorRef& y, size_t first, size_t n) const {
    float real[kBlock];
    const TensorDesc& from = *x.desc;
    if (from.dtype == DType::kS8) {
      from8_.run(n, x.as<int8_t>() + first, from.scale, from.zero_point, real);
    } else {
      from16_.run(n, x.as<int16_t>() + first, from.scale, from.zero_point, real);
    }
    if (y.desc->dtype == DType::kS8) {
      to8_.run(n, real, y.desc->scale, range_, y.mutable_as<int8_t>() + first);
    } else {
      to16_.run(n, real, y.desc->scale, range_, y.mutable_as<int16_t>() + first);
    }
  }

  const DequantizeQs8F32Kernel& from8_;
  const DequantizeQs16F32Kernel& from16_;
  const QuantizeF32Qs8Kernel& to8_;
  const QuantizeF32Qs16Kernel& to16_;
  OutputRange range_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto& attributes = args.as<Attributes>();
  const TensorDesc& y = args.outputs[0];
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kS8, DType::kS16}).quantized();
  checks.of("y", y).dtype({DType::kS8, DType::kS16}).quantized();
  check_code_range(y, attributes.qmin, attributes.qmax, checks);
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<RequantizeOperator>(
      args, OutputRange{y.zero_point, attributes.qmin, attributes.qmax});
  return {};
}

}  // namespace

const OperatorType requantize_type = {.name = "requantize",
                                      .fields = kFields,
                                      .attribute_bytes = sizeof(Attributes),
                                      .min_inputs = 1,
                                      .max_inputs = 1,
                                      .outputs = 1,
                                      .create = create};

}  // namespace bitpose
