// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/model/status.h"
#include "engine/model/strings.h"
#include "engine/model/tensor.h"
#include "engine/ops/operator.h"

namespace bitpose {

/// One operator of a network, with its operands by tensor index.
struct OperatorNode {
  const OperatorType* type = nullptr;
  std::string_view name;
  std::span<const uint32_t> inputs;
  std::span<const uint32_t> outputs;
  const void* attributes = nullptr;  ///< In the ranges of type->fields.

  /// "operator 'conv1' (conv2d_qs8)", for messages.
  std::string text() const;
};

/// A network of a model, checked: every index is in range, operators stand in an order in which
/// they can run, and each tensor that is neither constant nor a graph input is written by exactly
/// one. Names and constants point into the model, the rest is a copy.
struct Network {
  std::string_view name;
  std::vector<TensorDesc> tensors;
  std::vector<OperatorNode> operators;
  std::span<const uint32_t> inputs;   ///< Tensor indices.
  std::span<const uint32_t> outputs;  ///< Tensor indices; may be constants or graph inputs.

  std::vector<uint32_t> operands;    ///< What the spans above point into.
  std::vector<uint32_t> attributes;  ///< What the attributes point into.
};

/// Reads a network section.
Status read_network(std::string_view name, std::span<const std::byte> section,
                    const Strings& strings, std::span<const std::byte> data, Network* network);

}  // namespace bitpose
