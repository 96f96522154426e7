// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <span>
#include <string>

namespace bitpose {

/// Describes the first element whose bits differ between two outputs; empty when there is none.
template <typename T>
std::string first_difference(const std::string& problem, std::span<const T> got,
                             std::span<const T> expected) {
  for (size_t i = 0; i < expected.size(); ++i) {
    if (std::memcmp(&got[i], &expected[i], sizeof(T)) == 0) continue;
    return problem + ": element " + std::to_string(i) + " is " + std::to_string(got[i]) +
           ", the portable kernel gives " + std::to_string(expected[i]);
  }
  return {};
}

}  // namespace bitpose
