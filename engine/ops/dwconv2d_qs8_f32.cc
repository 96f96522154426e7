// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/dwconv2d_qs8.h"

namespace bitpose {
namespace {

// dwconv2d_qs8_f32: depthwise 2-D convolution of 8-bit tensors that gives real numbers:
// y = float(acc) * multiplier, clamped to fmin and fmax.
//   x           int8 [N,H,W,C]
//   weights     int8 [kh,kw,C], constant; its zero point may be non-zero
//   bias        int32 [C], constant, in units of scale(x) * scale(weights)
//   multiplier  float32 [C], constant: scale(x) * scale(weights)
//   y           float32 [N,OH,OW,C]
Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const ConvLayer layer = depthwise_layer(args);
  Status status = check_conv_qs8_f32(layer, 3, args);
  if (!status.ok()) return status;
  const auto& attributes = args.as<ConvF32Attributes>();
  const RealOutput output{attributes.fmin, attributes.fmax};
  *op = std::make_unique<Dwconv2dQs8Operator<RealOutput>>(args, layer, output);
  return {};
}

}  // namespace

const OperatorType dwconv2d_qs8_f32_type = {.name = "dwconv2d_qs8_f32",
                                            .fields = kConvF32Fields,
                                            .attribute_bytes = sizeof(ConvF32Attributes),
                                            .min_inputs = 4,
                                            .max_inputs = 4,
                                            .outputs = 1,
                                            .create = create};

}  // namespace bitpose
