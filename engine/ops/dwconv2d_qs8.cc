// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/dwconv2d_qs8.h"

namespace bitpose {
namespace {

// dwconv2d_qs8: depthwise 2-D convolution of 8-bit tensors.
//   x           int8 [N,H,W,C]
//   weights     int8 [kh,kw,C], constant; its zero point may be non-zero
//   bias        int32 [C], constant, in units of scale(x) * scale(weights)
//   multiplier  float32 [C], constant: scale(x) * scale(weights) / scale(y)
//   y           int8 [N,OH,OW,C]
Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const ConvLayer layer = depthwise_layer(args);
  Status status = check_conv_qs8(layer, 3, args);
  if (!status.ok()) return status;
  const auto& attributes = args.as<ConvQs8Attributes>();
  const CodeOutput output{{args.outputs[0].zero_point, attributes.qmin, attributes.qmax}};
  *op = std::make_unique<Dwconv2dQs8Operator<CodeOutput>>(args, layer, output);
  return {};
}

}  // namespace

const OperatorType dwconv2d_qs8_type = {.name = "dwconv2d_qs8",
                                        .fields = kConvQs8Fields,
                                        .attribute_bytes = sizeof(ConvQs8Attributes),
                                        .min_inputs = 4,
                                        .max_inputs = 4,
                                        .outputs = 1,
                                        .create = create};

}  // namespace bitpose
