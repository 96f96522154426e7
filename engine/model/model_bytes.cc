// SPDX-License-Identifier: Apache-2.0
#include "engine/model/model_bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "kernels/base/overread.h"

namespace bitpose {
namespace {

Status io_error(const std::string& path, const std::string& what) {
  return {StatusCode::kIoError, path + ": " + what};
}

Status map_descriptor(const std::string& path, int descriptor, const std::byte** data,
                      size_t* size) {
  struct stat status{};
  if (fstat(descriptor, &status) != 0) return io_error(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return io_error(path, "is not a regular file");
  if (status.st_size == 0) return invalid_model(path + ": is empty");
  *size = static_cast<size_t>(status.st_size);
  void* mapping = mmap(nullptr, *size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (mapping == MAP_FAILED) return io_error(path, std::strerror(errno));
  *data = static_cast<const std::byte*>(mapping);
  return {};
}

}  // namespace

ModelBytes::~ModelBytes() {
  auto* memory = const_cast<std::byte*>(data_);
  if (owner_ == Owner::kHeap) std::free(memory);
  if (owner_ == Owner::kMapping) munmap(memory, size_);
}

Status ModelBytes::map(const std::string& path, ModelBytes* bytes) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return io_error(path, std::strerror(errno));
  ModelBytes mapped;
  Status status = map_descriptor(path, descriptor, &mapped.data_, &mapped.size_);
  close(descriptor);
  if (!status.ok()) return status;
  mapped.owner_ = Owner::kMapping;
  *bytes = std::move(mapped);
  return {};
}

Status ModelBytes::copy(std::span<const std::byte> source, ModelBytes* bytes) {
  if (source.empty()) return invalid_model("the model is empty");
  const size_t rounded = (source.size() + kAlignment - 1) / kAlignment * kAlignment;
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded));
  if (memory == nullptr) {
    return {StatusCode::kOutOfMemory,
            "no memory for a model of " + std::to_string(source.size()) + " bytes"};
  }
  std::memcpy(memory, source.data(), source.size());
  ModelBytes copied;
  copied.data_ = memory;
  copied.size_ = source.size();
  copied.owner_ = Owner::kHeap;
  *bytes = std::move(copied);
  return {};
}

Status ModelBytes::borrow(std::span<const std::byte> source, ModelBytes* bytes) {
  if (reinterpret_cast<uintptr_t>(source.data()) % kAlignment != 0) return copy(source, bytes);
  if (source.empty()) return invalid_model("the model is empty");
  ModelBytes borrowed;
  borrowed.data_ = source.data();
  borrowed.size_ = source.size();
  *bytes = std::move(borrowed);
  return {};
}

void ModelBytes::release_pages() const {
  if (owner_ != Owner::kMapping) return;
  madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

void ModelBytes::swap(ModelBytes& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(owner_, other.owner_);
}

}  // namespace bitpose
