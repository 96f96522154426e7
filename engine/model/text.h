// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/model/tensor.h"

namespace bitpose {

/// A piece of a message: a text, a number or a shape.
class TextPart {
 public:
  explicit TextPart(std::string_view text) : kind_(Kind::kText), text_(text) {}
  explicit TextPart(std::integral auto number)
      : kind_(Kind::kInteger), integer_(static_cast<int64_t>(number)) {}
  explicit TextPart(float number) : kind_(Kind::kReal), real_(number) {}
  explicit TextPart(const Shape& shape) : kind_(Kind::kShape), shape_(&shape) {}

 private:
  friend std::string join_text(std::span<const TextPart> parts);

  enum class Kind { kText, kInteger, kReal, kShape };

  Kind kind_;
  std::string_view text_;
  int64_t integer_ = 0;
  float real_ = 0;
  const Shape* shape_ = nullptr;
};

std::string join_text(std::span<const TextPart> parts);

/// Names for a message, at most 8 of them: "'a', 'b' and 3 more"; "none" where there are none.
std::string quoted(std::span<const std::string_view> names);

/// A message that is put together when somebody asks for it. It refers to its pieces, so it lasts
/// no longer than the expression that makes it.
template <size_t n>
struct Text {
  std::array<TextPart, n> parts;

  // It is a string wherever one is wanted.
  // NOLINTBEGIN(google-explicit-constructor, misc-explicit-constructor)
  operator std::string() const { return join_text(parts); }
  operator std::span<const TextPart>() const { return parts; }
  // NOLINTEND(google-explicit-constructor, misc-explicit-constructor)
};

/// Texts, numbers and shapes one behind the other: "operand x has shape [2,3], axis 2". A call is a
/// tenth of the code that sums of strings are, and allocates nothing unless the message is needed.
template <typename... Parts>
Text<sizeof...(Parts)> text(const Parts&... parts) {
  return {{TextPart(parts)...}};
}

}  // namespace bitpose
