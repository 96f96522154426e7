// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/format.h"
#include "engine/model/model.h"
#include "engine/model/tensor.h"

namespace bitpose::test {

/// Where a tensor's codes stand: real = scale * (q - zero_point).
struct Quantization {
  float scale = 0;
  int32_t zero_point = 0;
};

using Attributes = std::vector<std::pair<const char*, double>>;

/// Writes `.bpm` models from the structs of engine/model/format.h, for tests. Python's writer is
/// the one that users have.
class ModelBuilder {
 public:
  /// A tensor without a value.
  uint32_t tensor(const std::string& name, DType dtype, const Shape& shape,
                  Quantization quantization = {});
  uint32_t input(const std::string& name, DType dtype, const Shape& shape,
                 Quantization quantization = {});

  template <typename T>
  uint32_t constant(const std::string& name, DType dtype, const Shape& shape,
                    const std::vector<T>& values, Quantization quantization = {}) {
    return constant_bytes(name, dtype, shape, std::as_bytes(std::span(values)), quantization);
  }
  uint32_t constant_bytes(const std::string& name, DType dtype, const Shape& shape,
                          std::span<const std::byte> bytes, Quantization quantization = {});

  /// An operator between tensors that exist. Attributes are set by name, others are 0 or the next
  /// value that their field allows.
  void op(const std::string& type, std::vector<uint32_t> inputs, std::vector<uint32_t> outputs,
          const Attributes& attributes = {});
  /// An operator whose output is a new tensor with the shape that the operator derives.
  uint32_t derived(const std::string& type, std::vector<uint32_t> inputs, DType dtype,
                   Quantization quantization = {}, const Attributes& attributes = {});
  /// The same where the operator may refuse; nothing is added then. Attributes must be in range.
  Status try_derived(const std::string& type, std::vector<uint32_t> inputs,
                     const TensorDesc& result, const Attributes& attributes, uint32_t* made);

  void output(uint32_t tensor) { outputs_.push_back(tensor); }
  void metadata(const std::string& key, const std::string& value) { metadata_[key] = value; }
  void asset(const std::string& name, std::vector<std::byte> bytes) {
    assets_.emplace_back(name, std::move(bytes));
  }

  const TensorDesc& desc(uint32_t tensor) const { return tensors_[tensor].desc; }

  /// The file, with one network named "main".
  std::vector<std::byte> build() const;
  /// The file, loaded.
  std::shared_ptr<const Model> load() const;

 private:
  struct Tensor {
    std::unique_ptr<std::string> name;
    TensorDesc desc;
    std::vector<std::byte> bytes;
  };
  struct Op {
    std::string type;
    std::vector<uint32_t> inputs, outputs;
    std::vector<std::byte> attributes;
  };

  std::vector<format::Tensor> tensor_records(std::vector<std::byte>* strings,
                                             std::vector<std::byte>* data) const;
  std::vector<std::byte> network_section(std::vector<std::byte>* strings,
                                         std::vector<std::byte>* data) const;

  std::vector<Tensor> tensors_;
  std::vector<Op> ops_;
  std::vector<uint32_t> inputs_, outputs_;
  std::map<std::string, std::string> metadata_;
  std::vector<std::pair<std::string, std::vector<std::byte>>> assets_;
};

/// Writes the CRC-32 of the file's bytes into its header.
void seal(std::span<std::byte> file);

}  // namespace bitpose::test
