// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/model/status.h"

namespace bitpose {

/// The strings section of a model.
class Strings {
 public:
  Strings() = default;
  explicit Strings(std::span<const std::byte> section)
      : text_(reinterpret_cast<const char*>(section.data()), section.size()) {}

  /// Bytes [offset, offset + length), which must lie in the section and be UTF-8 without NUL.
  /// `what` starts the message.
  Status get(uint32_t offset, uint32_t length, const std::string& what,
             std::string_view* text) const;

 private:
  std::string_view text_;
};

/// Whether the bytes are well-formed UTF-8 (no overlong forms, no surrogates) without NUL.
bool is_text(std::string_view bytes);

}  // namespace bitpose
