// SPDX-License-Identifier: Apache-2.0
#include "engine/model/text.h"

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

}  // namespace bitpose
