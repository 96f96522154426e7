// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/model/tensor.h"

namespace bitpose {

/// A piece of a message: a text, an integer or a shape.
class TextPart {
 public:
  explicit TextPart(std::string_view text) : kind_(Kind::kText), text_(text) {}
  explicit TextPart(std::integral auto number)
      : kind_(Kind::kNumber), number_(static_cast<int64_t>(number)) {}
  explicit TextPart(const Shape& shape) : kind_(Kind::kShape), shape_(&shape) {}

 private:
  friend std::string join_text(std::span<const TextPart> parts);

  enum class Kind { kText, kNumber, kShape };

  Kind kind_;
  std::string_view text_;
  int64_t number_ = 0;
  const Shape* shape_ = nullptr;
};

std::string join_text(std::span<const TextPart> parts);

/// Texts, integers and shapes one behind the other: "operand x has shape [2,3], axis 2". A call is
/// a tenth of the code that sums of strings are.
template <typename... Parts>
std::string text(const Parts&... parts) {
  const TextPart all[] = {TextPart(parts)...};
  return join_text(all);
}

}  // namespace bitpose
