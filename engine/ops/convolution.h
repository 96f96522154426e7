// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/model/fields.h"
#include "engine/ops/conv_geometry.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/ops/scaled_range.h"

/// What the convolutions share.
namespace bitpose {

/// The attributes of a convolution of floats.
struct ConvF32Attributes {
  ConvWindow window;
  float fmin, fmax;
};

inline constexpr auto kConvF32Fields = join_fields(
    kConvWindowFields, {BITPOSE_FIELD(ConvF32Attributes, fmin, -kUnbounded, kUnbounded),
                        BITPOSE_FIELD(ConvF32Attributes, fmax, -kUnbounded, kUnbounded)});

/// The attributes of a convolution of 8-bit tensors.
struct ConvQs8Attributes {
  ConvWindow window;
  int32_t qmin, qmax;
};

inline constexpr auto kConvQs8Fields = join_fields(
    kConvWindowFields,
    {BITPOSE_CODE_FIELD(ConvQs8Attributes, qmin), BITPOSE_CODE_FIELD(ConvQs8Attributes, qmax)});

/// The attributes of a convolution of 16-bit tensors.
inline constexpr auto kConvQs16Fields = join_fields(
    kConvWindowFields,
    {BITPOSE_CODE16_FIELD(ConvQs8Attributes, qmin), BITPOSE_CODE16_FIELD(ConvQs8Attributes, qmax)});

/// The filters of a convolution and where they stand.
struct ConvLayer {
  ConvWindow window;
  uint32_t kernel_h, kernel_w;
  uint32_t channels;         ///< Of the input,
  uint32_t filter_channels;  ///< of these the ones that a filter sees,
  uint32_t columns;          ///< and of the output.

  size_t taps() const { return size_t{kernel_h} * kernel_w; }
  /// Group g of the columns sees group g of the channels.
  size_t groups() const { return channels / filter_channels; }
};

/// The layer whose weights, the second input, are [O,kh,kw,C / groups].
ConvLayer dense_layer(const CreateArgs& args);

/// The layer whose weights, the second input, are [kh,kw,C].
ConvLayer depthwise_layer(const CreateArgs& args);

/// Checks that filters and channels divide into groups.
void check_groups(const ConvLayer& layer, OperandChecks& checks);

/// Checks the operands x, weights, bias and y of a layer, and its ConvF32Attributes.
Status check_conv_f32(const ConvLayer& layer, uint32_t weights_rank, const CreateArgs& args);

/// Checks the operands x, weights, bias, multiplier and y of a layer, and its ConvQs8Attributes.
Status check_conv_qs8(const ConvLayer& layer, uint32_t weights_rank, const CreateArgs& args);

/// Checks the same operands of a layer whose y is float32, and its ConvF32Attributes.
Status check_conv_qs8_f32(const ConvLayer& layer, uint32_t weights_rank, const CreateArgs& args);

/// The same as check_conv_qs8 where x is int16, y is int8 or int16, and zero points of x and
/// weights are 0.
Status check_conv_qs16(const ConvLayer& layer, uint32_t weights_rank, const CreateArgs& args);

/// The part of these checks that no attribute takes part in.
void check_conv_f32_operands(const ConvLayer& layer, uint32_t weights_rank, const CreateArgs& args,
                             OperandChecks& checks);
void check_conv_qs8_operands(const ConvLayer& layer, uint32_t weights_rank, const CreateArgs& args,
                             OperandChecks& checks);

/// The same where y is float32.
void check_conv_qs8_f32_operands(const ConvLayer& layer, uint32_t weights_rank,
                                 const CreateArgs& args, OperandChecks& checks);

/// A convolution: everything but the kernel.
class ConvOperator : public Operator {
 public:
  explicit ConvOperator(const ConvLayer& layer) : layer_(layer) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;

 protected:
  const ConvLayer& layer() const { return layer_; }
  /// The geometry over an input of a shape that `reshape` accepted.
  ConvGeometry geometry_of(const Shape& input) const;

 private:
  ConvLayer layer_;
};

}  // namespace bitpose
