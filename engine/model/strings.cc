// SPDX-License-Identifier: Apache-2.0
#include "engine/model/strings.h"

namespace bitpose {
namespace {

// Bytes of the UTF-8 sequence that starts with `lead`, 0 where none may.
size_t sequence_bytes(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xf0 && lead < 0xf5) return 4;
  return 0;
}

// The second byte's range is narrower behind the four leads that could start an overlong form, a
// surrogate or a number above U+10FFFF.
bool second_byte_fits(unsigned char lead, unsigned char second) {
  const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  return second >= low && second <= high;
}

}  // namespace

bool is_text(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    const size_t length = sequence_bytes(lead);
    if (lead == 0 || length == 0 || length > bytes.size() - i) return false;
    if (length > 1 && !second_byte_fits(lead, static_cast<unsigned char>(bytes[i + 1]))) {
      return false;
    }
    for (size_t k = 2; k < length; ++k) {
      if ((static_cast<unsigned char>(bytes[i + k]) & 0xc0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

Status Strings::get(uint32_t offset, uint32_t length, const std::string& what,
                    std::string_view* text) const {
  if (offset > text_.size() || length > text_.size() - offset) {
    return invalid_model(what + ": string [" + std::to_string(offset) + ", +" +
                         std::to_string(length) + ") leaves the strings section of " +
                         std::to_string(text_.size()) + " bytes");
  }
  const std::string_view found = text_.substr(offset, length);
  if (!is_text(found)) return invalid_model(what + ": string is not UTF-8 text");
  *text = found;
  return {};
}

}  // namespace bitpose
