// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/convolution.h"

#include <cmath>
#include <string>

#include "engine/model/text.h"
#include "engine/ops/operands.h"
#include "kernels/igemm_qs16/igemm_qs16.h"

namespace bitpose {
namespace {

Status make_geometry(const ConvLayer& layer, const Shape& input, ConvGeometry* geometry) {
  return make_conv_geometry(layer.window, layer.kernel_h, layer.kernel_w, input, layer.columns,
                            geometry);
}

/// Each is finite and positive.
void check_multipliers(const ConvLayer& layer, const CreateArgs& args, OperandChecks& checks) {
  if (!checks.ok()) return;
  const auto* multiplier = static_cast<const float*>(args.inputs[3].constant);
  for (uint32_t column = 0; column < layer.columns; ++column) {
    const float m = multiplier[column];
    if (std::isfinite(m) && m > 0) continue;
    checks.require(false, text("the multiplier of channel ", column, " is ", m,
                               ", expected a finite positive number"));
  }
}

/// The checks of an 8-bit layer but for y.
void check_conv_qs8_inputs(const ConvLayer& layer, uint32_t weights_rank, const CreateArgs& args,
                           OperandChecks& checks) {
  const TensorDesc& weights = args.inputs[1];
  checks.of("x", args.inputs[0]).dtype({DType::kS8}).rank(4).quantized();
  checks.of("weights", weights).dtype({DType::kS8}).rank(weights_rank).constant();
  checks.require(weights.shape.elements() > 0, "weights must not be empty");
  checks.require(weights.zero_point >= -128 && weights.zero_point <= 127,
                 "the weights' zero point must be in -128..127");
  checks.of("bias", args.inputs[2]).dtype({DType::kS32}).shape({layer.columns}).constant();
  checks.of("multiplier", args.inputs[3]).dtype({DType::kF32}).shape({layer.columns}).constant();
  check_groups(layer, checks);
  check_multipliers(layer, args, checks);
}

}  // namespace

void check_groups(const ConvLayer& layer, OperandChecks& checks) {
  if (!checks.ok()) return;
  if (layer.channels > 0 && layer.channels % layer.filter_channels == 0 &&
      layer.columns % layer.groups() == 0) {
    return;
  }
  checks.require(false,
                 text("weights of ", layer.columns, " filters of ", layer.filter_channels,
                      " channels do not divide the input's ", layer.channels, " into groups"));
}

void check_conv_f32_operands(const ConvLayer& layer, uint32_t weights_rank, const CreateArgs& args,
                             OperandChecks& checks) {
  const TensorDesc& weights = args.inputs[1];
  checks.of("x", args.inputs[0]).dtype({DType::kF32}).rank(4);
  checks.of("weights", weights).dtype({DType::kF32}).rank(weights_rank).constant();
  checks.require(weights.shape.elements() > 0, "weights must not be empty");
  checks.of("bias", args.inputs[2]).dtype({DType::kF32}).shape({layer.columns}).constant();
  checks.of("y", args.outputs[0]).dtype({DType::kF32});
  check_groups(layer, checks);
}

void check_conv_qs8_operands(const ConvLayer& layer, uint32_t weights_rank, const CreateArgs& args,
                             OperandChecks& checks) {
  check_conv_qs8_inputs(layer, weights_rank, args, checks);
  checks.of("y", args.outputs[0]).dtype({DType::kS8}).quantized();
}

void check_conv_qs8_f32_operands(const ConvLayer& layer, uint32_t weights_rank,
                                 const CreateArgs& args, OperandChecks& checks) {
  check_conv_qs8_inputs(layer, weights_rank, args, checks);
  checks.of("y", args.outputs[0]).dtype({DType::kF32});
}

ConvLayer dense_layer(const CreateArgs& args) {
  const Shape& weights = args.inputs[1].shape;
  return {.window = args.as<ConvWindow>(),
          .kernel_h = weights[1],
          .kernel_w = weights[2],
          .channels = args.inputs[0].shape[3],
          .filter_channels = weights[3],
          .columns = weights[0]};
}

ConvLayer depthwise_layer(const CreateArgs& args) {
  const Shape& weights = args.inputs[1].shape;
  return {.window = args.as<ConvWindow>(),
          .kernel_h = weights[0],
          .kernel_w = weights[1],
          .channels = weights[2],
          .filter_channels = 1,
          .columns = weights[2]};
}

Status check_conv_f32(const ConvLayer& layer, uint32_t weights_rank, const CreateArgs& args) {
  const auto& attributes = args.as<ConvF32Attributes>();
  OperandChecks checks;
  check_conv_f32_operands(layer, weights_rank, args, checks);
  checks.require(attributes.fmin <= attributes.fmax, "fmin must not exceed fmax");
  return checks.status();
}

Status check_conv_qs8(const ConvLayer& layer, uint32_t weights_rank, const CreateArgs& args) {
  const auto& attributes = args.as<ConvQs8Attributes>();
  OperandChecks checks;
  check_conv_qs8_operands(layer, weights_rank, args, checks);
  checks.require(attributes.qmin <= attributes.qmax, "qmin must not exceed qmax");
  return checks.status();
}

Status check_conv_qs8_f32(const ConvLayer& layer, uint32_t weights_rank, const CreateArgs& args) {
  const auto& attributes = args.as<ConvF32Attributes>();
  OperandChecks checks;
  check_conv_qs8_f32_operands(layer, weights_rank, args, checks);
  checks.require(attributes.fmin <= attributes.fmax, "fmin must not exceed fmax");
  return checks.status();
}

Status check_conv_qs16(const ConvLayer& layer, uint32_t weights_rank, const CreateArgs& args) {
  const auto& attributes = args.as<ConvQs8Attributes>();
  const TensorDesc& weights = args.inputs[1];
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kS16}).rank(4).quantized();
  checks.of("weights", weights).dtype({DType::kS8}).rank(weights_rank).constant();
  checks.require(weights.shape.elements() > 0, "weights must not be empty");
  checks.require(args.inputs[0].zero_point == 0 && weights.zero_point == 0,
                 "the zero points of x and weights must be 0");
  checks.of("bias", args.inputs[2]).dtype({DType::kS32}).shape({layer.columns}).constant();
  checks.of("multiplier", args.inputs[3]).dtype({DType::kF32}).shape({layer.columns}).constant();
  checks.of("y", args.outputs[0]).dtype({DType::kS8, DType::kS16}).quantized();
  check_code_range(args.outputs[0], attributes.qmin, attributes.qmax, checks);
  check_groups(layer, checks);
  check_multipliers(layer, args, checks);
  if (!checks.ok()) return checks.status();
  const auto* bias = static_cast<const int32_t*>(args.inputs[2].constant);
  for (uint32_t column = 0; column < layer.columns; ++column) {
    checks.require(
        bias[column] >= -kMaxBiasQs16 && bias[column] <= kMaxBiasQs16,
        text("the bias of channel ", column, " is ", bias[column], ", expected at most 2^30"));
  }
  return checks.status();
}

Status ConvOperator::reshape(std::span<const TensorDesc> inputs,
                             std::span<TensorDesc> outputs) const {
  const Shape& x = inputs[0].shape;
  ConvGeometry geometry;
  if (Status status = make_geometry(layer_, x, &geometry); !status.ok()) return status;
  if (x[3] != layer_.channels) {
    return invalid_model(
        text("input ", x, " must have the ", layer_.channels, " channels of the weights"));
  }
  outputs[0].shape = geometry.output_shape(layer_.columns);
  return {};
}

Cost ConvOperator::cost(std::span<const TensorDesc> inputs,
                        std::span<const TensorDesc> outputs) const {
  Cost cost = Operator::cost(inputs, outputs);
  cost.macs = outputs[0].shape.elements() * layer_.taps() * layer_.filter_channels;
  return cost;
}

ConvGeometry ConvOperator::geometry_of(const Shape& input) const {
  ConvGeometry geometry{};
  // Cannot fail for a shape that `reshape` accepted; a geometry of zeros has no pixels.
  (void)make_geometry(layer_, input, &geometry).ok();
  return geometry;
}

}  // namespace bitpose
