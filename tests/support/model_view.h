// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "engine/model/format.h"
#include "tests/support/check.h"
#include "tests/support/model_builder.h"

namespace bitpose::test {

/// The structs of a `.bpm` file in memory, to be changed in place. The file must be one that
/// ModelBuilder made, and `bytes` must be aligned to 8.
class ModelView {
 public:
  explicit ModelView(std::span<std::byte> file) : file_(file) {}

  format::Header& header() const { return *at<format::Header>(0); }
  std::span<format::Section> sections() const {
    return {at<format::Section>(sizeof(format::Header)), header().section_count};
  }
  format::Section& section(format::SectionKind kind) const {
    for (format::Section& section : sections()) {
      if (section.kind == static_cast<uint32_t>(kind)) return section;
    }
    CHECK(false, "the model lacks a section");
    return sections().front();
  }
  format::Network& network() const { return *at<format::Network>(network_offset()); }
  std::span<format::Tensor> tensors() const {
    return {at<format::Tensor>(network_offset() + sizeof(format::Network)), network().tensors};
  }
  std::span<format::Operator> operators() const {
    return {behind<format::Operator>(tensors()), network().operators};
  }
  std::span<uint32_t> operands() const {
    return {behind<uint32_t>(operators()), network().operands};
  }
  std::span<std::byte> attributes() const {
    return {behind<std::byte>(operands()), network().attribute_bytes};
  }
  std::span<std::byte> data() const {
    const format::Section& found = section(format::SectionKind::kData);
    return file_.subspan(found.offset, found.bytes);
  }

 private:
  uint64_t network_offset() const { return section(format::SectionKind::kNetwork).offset; }

  template <typename T>
  T* at(uint64_t offset) const {
    return reinterpret_cast<T*>(file_.data() + offset);
  }
  template <typename T, typename Table>
  T* behind(const Table& table) const {
    return reinterpret_cast<T*>(reinterpret_cast<std::byte*>(table.data()) + table.size_bytes());
  }

  std::span<std::byte> file_;
};

/// Loads a copy of `file`.
inline Status load_copy(std::span<const std::byte> file, std::shared_ptr<const Model>* model) {
  ModelBytes bytes;
  Status status = ModelBytes::copy(file, &bytes);
  return status.ok() ? Model::load(std::move(bytes), model) : status;
}

}  // namespace bitpose::test
