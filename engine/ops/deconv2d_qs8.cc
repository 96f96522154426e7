// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/deconv2d_qs8.h"

namespace bitpose {
namespace {

// deconv2d_qs8: transposed 2-D convolution of 8-bit tensors in G = C / C' groups.
//   x           int8 [N,H,W,C]
//   weights     int8 [O,kh,kw,C'], constant; filter o sees the channels of group o / (O / G); the
//               zero point may be non-zero
//   bias        int32 [O], constant, in units of scale(x) * scale(weights)
//   multiplier  float32 [O], constant: scale(x) * scale(weights) / scale(y)
//   y           int8 [N,OH,OW,O]
Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const ConvLayer layer = dense_layer(args);
  const auto& attributes = args.as<DeconvQs8Attributes>();
  OperandChecks checks;
  check_conv_qs8_operands(layer, 4, args, checks);
  checks.require(attributes.qmin <= attributes.qmax, "qmin must not exceed qmax");
  if (!checks.ok()) return checks.status();
  const CodeOutput output{{args.outputs[0].zero_point, attributes.qmin, attributes.qmax}};
  *op = std::make_unique<Deconv2dQs8Operator<CodeOutput>>(args, layer, output);
  return {};
}

}  // namespace

const OperatorType deconv2d_qs8_type = {.name = "deconv2d_qs8",
                                        .fields = kDeconvQs8Fields,
                                        .attribute_bytes = sizeof(DeconvQs8Attributes),
                                        .min_inputs = 4,
                                        .max_inputs = 4,
                                        .outputs = 1,
                                        .create = create};

}  // namespace bitpose
