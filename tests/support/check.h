// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/model/status.h"

/// What the test programs are made of: a failed check says where and ends the program.
namespace bitpose::test {

inline void check(bool condition, const char* text, const char* file, int line,
                  const std::string& detail = {}) {
  if (condition) return;
  std::fprintf(stderr, "%s:%d: check failed: %s %s\n", file, line, text, detail.c_str());
  std::exit(1);
}

inline void check_ok(const Status& status, const char* text, const char* file, int line) {
  check(status.ok(), text, file, line, status.message());
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// CHECK(condition) and CHECK(condition, message).
#define CHECK(condition, ...) \
  ::bitpose::test::check((condition), #condition, __FILE__, __LINE__ __VA_OPT__(, ) __VA_ARGS__)

/// The status is that of a success.
#define CHECK_OK(expression) \
  ::bitpose::test::check_ok((expression), #expression, __FILE__, __LINE__)

}  // namespace bitpose::test
