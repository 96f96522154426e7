// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

namespace bitpose {

/// The numbers are those of the C API (`bitpose_status`).
enum class StatusCode : int {
  kOk = 0,
  kInvalidArgument = 1,  ///< A call that breaks its contract: wrong name, shape, dtype.
  kInvalidModel = 2,     ///< Bytes that are no valid model.
  kUnsupported = 3,      ///< Valid, but not in this build: an operator, a version.
  kOutOfMemory = 4,
  kIoError = 5,
};

/// Success, or a code with a message that says what is wrong, where, and what would be right.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

inline Status invalid_argument(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}
inline Status invalid_model(std::string message) {
  return {StatusCode::kInvalidModel, std::move(message)};
}
inline Status unsupported(std::string message) {
  return {StatusCode::kUnsupported, std::move(message)};
}

}  // namespace bitpose
