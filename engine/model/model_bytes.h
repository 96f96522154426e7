// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "engine/model/status.h"

namespace bitpose {

/// The bytes of a model: a mapped file, a copy, or memory of the caller. They start at a multiple
/// of 64.
class ModelBytes {
 public:
  ModelBytes() = default;
  ModelBytes(ModelBytes&& other) noexcept { swap(other); }
  ModelBytes& operator=(ModelBytes&& other) noexcept {
    swap(other);
    return *this;
  }
  ~ModelBytes();

  /// Maps a regular file read-only. Whoever replaces the file renames another one over it: changing
  /// it in place changes weights that are in use, shortening it kills the process that reads them.
  static Status map(const std::string& path, ModelBytes* bytes);
  static Status copy(std::span<const std::byte> source, ModelBytes* bytes);
  /// Keeps a pointer to `source`, which must stay as it is for the life of the model; copies where
  /// it is not aligned.
  static Status borrow(std::span<const std::byte> source, ModelBytes* bytes);

  std::span<const std::byte> span() const { return {data_, size_}; }

  /// Gives the pages of a mapped file back to the system, which reads them again when needed.
  void release_pages() const;

 private:
  enum class Owner { kNobody, kHeap, kMapping };

  void swap(ModelBytes& other) noexcept;

  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  Owner owner_ = Owner::kNobody;
};

}  // namespace bitpose
