// SPDX-License-Identifier: Apache-2.0
#include "engine/model/text.h"

#include <algorithm>

namespace bitpose {

std::string join_text(std::span<const TextPart> parts) {
  std::string result;
  for (const TextPart& part : parts) {
    switch (part.kind_) {
      case TextPart::Kind::kText:
        result += part.text_;
        break;
      case TextPart::Kind::kInteger:
        result += std::to_string(part.integer_);
        break;
      case TextPart::Kind::kReal:
        result += std::to_string(part.real_);
        break;
      case TextPart::Kind::kShape:
        result += part.shape_->text();
        break;
    }
  }
  return result;
}

std::string quoted(std::span<const std::string_view> names) {
  constexpr size_t kMost = 8;
  if (names.empty()) return "none";
  std::string result;
  for (const std::string_view name : names.first(std::min(names.size(), kMost))) {
    result += (result.empty() ? "'" : ", '") + std::string(name) + "'";
  }
  if (names.size() > kMost) result += " and " + std::to_string(names.size() - kMost) + " more";
  return result;
}

}  // namespace bitpose
