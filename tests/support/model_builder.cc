// SPDX-License-Identifier: Apache-2.0
#include "tests/support/model_builder.h"

#include <algorithm>

#include "engine/model/crc32.h"
#include "engine/model/float16.h"
#include "engine/model/format.h"
#include "engine/ops/operator.h"
#include "tests/support/check.h"

namespace bitpose::test {
namespace {

using Bytes = std::vector<std::byte>;

void append_bytes(const void* from, size_t count, Bytes* bytes) {
  const size_t end = bytes->size();
  bytes->resize(end + count);
  if (count > 0) std::memcpy(bytes->data() + end, from, count);
}

template <typename T>
void append(const T& value, Bytes* bytes) {
  append_bytes(&value, sizeof(value), bytes);
}

void align(Bytes* bytes) {
  while (bytes->size() % format::kAlignment != 0) bytes->push_back(std::byte{0});
}

format::StringRef add_text(const std::string& text, Bytes* strings) {
  const format::StringRef ref{static_cast<uint32_t>(strings->size()),
                              static_cast<uint32_t>(text.size())};
  append_bytes(text.data(), text.size(), strings);
  return ref;
}

void store(FieldType type, double value, std::byte* to) {
  const auto put = [to](auto number) { std::memcpy(to, &number, sizeof(number)); };
  switch (type) {
    case FieldType::kU8:
      return put(static_cast<uint8_t>(value));
    case FieldType::kU32:
      return put(static_cast<uint32_t>(value));
    case FieldType::kS32:
      return put(static_cast<int32_t>(value));
    case FieldType::kF32:
      return put(static_cast<float>(value));
    case FieldType::kU64:
      return put(static_cast<uint64_t>(value));
  }
}

Bytes attribute_bytes(const OperatorType& type, const Attributes& attributes) {
  Bytes bytes(type.attribute_bytes);
  for (const Field& field : type.fields) {
    store(field.type, std::clamp(0.0, field.low, field.high), bytes.data() + field.offset);
  }
  for (const auto& [name, value] : attributes) {
    const auto field = std::find_if(type.fields.begin(), type.fields.end(),
                                    [&](const Field& f) { return std::strcmp(f.name, name) == 0; });
    CHECK(field != type.fields.end(), std::string(type.name) + "." + name);
    store(field->type, value, bytes.data() + field->offset);
  }
  return bytes;
}

struct Section {
  format::Section record;
  Bytes bytes;
};

Section make_section(format::SectionKind kind, const std::string& name, Bytes bytes,
                     Bytes* strings) {
  const format::StringRef ref = add_text(name, strings);
  return {{static_cast<uint32_t>(kind), 0, ref.offset, ref.length, 0, bytes.size()},
          std::move(bytes)};
}

Bytes assemble(std::vector<Section> sections) {
  format::Header header{};
  std::memcpy(header.magic, format::kMagic, sizeof(header.magic));
  header.version = format::kVersion;
  header.section_count = static_cast<uint32_t>(sections.size());
  header.header_bytes = sizeof(header);
  uint64_t offset = sizeof(header) + sections.size() * sizeof(format::Section);
  for (Section& section : sections) {
    offset = (offset + format::kAlignment - 1) / format::kAlignment * format::kAlignment;
    section.record.offset = offset;
    offset += section.bytes.size();
  }
  header.file_bytes = offset;
  Bytes file;
  append(header, &file);
  for (const Section& section : sections) append(section.record, &file);
  for (const Section& section : sections) {
    align(&file);
    append_bytes(section.bytes.data(), section.bytes.size(), &file);
  }
  seal(file);
  return file;
}

}  // namespace

void seal(std::span<std::byte> file) {
  const uint32_t crc = crc32(file.subspan(sizeof(format::Header)));
  std::memcpy(file.data() + offsetof(format::Header, crc32), &crc, sizeof(crc));
}

uint32_t ModelBuilder::tensor(const std::string& name, DType dtype, const Shape& shape,
                              Quantization quantization) {
  Tensor& added = tensors_.emplace_back();
  added.name = std::make_unique<std::string>(name);
  added.desc = {.name = *added.name,
                .dtype = dtype,
                .shape = shape,
                .scale = quantization.scale,
                .zero_point = quantization.zero_point};
  return static_cast<uint32_t>(tensors_.size() - 1);
}

uint32_t ModelBuilder::input(const std::string& name, DType dtype, const Shape& shape,
                             Quantization quantization) {
  inputs_.push_back(tensor(name, dtype, shape, quantization));
  return inputs_.back();
}

uint32_t ModelBuilder::constant_bytes(const std::string& name, DType dtype, const Shape& shape,
                                      std::span<const std::byte> bytes, Quantization quantization) {
  const uint32_t index = tensor(name, dtype, shape, quantization);
  Tensor& added = tensors_[index];
  CHECK(bytes.size() == added.desc.bytes(), name);
  added.bytes.assign(bytes.begin(), bytes.end());
  added.desc.constant = added.bytes.data();
  return index;
}

void ModelBuilder::op(const std::string& type, std::vector<uint32_t> inputs,
                      std::vector<uint32_t> outputs, const Attributes& attributes) {
  const OperatorType* found = find_operator_type(type);
  CHECK(found != nullptr, type);
  ops_.push_back(
      {type, std::move(inputs), std::move(outputs), attribute_bytes(*found, attributes)});
}

uint32_t ModelBuilder::derived(const std::string& type, std::vector<uint32_t> inputs, DType dtype,
                               Quantization quantization, const Attributes& attributes) {
  const TensorDesc result{.name = {},
                          .dtype = dtype,
                          .shape = {},
                          .scale = quantization.scale,
                          .zero_point = quantization.zero_point};
  uint32_t made = 0;
  CHECK_OK(try_derived(type, std::move(inputs), result, attributes, &made));
  return made;
}

Status ModelBuilder::try_derived(const std::string& type, std::vector<uint32_t> inputs,
                                 const TensorDesc& result, const Attributes& attributes,
                                 uint32_t* made) {
  const OperatorType* found = find_operator_type(type);
  CHECK(found != nullptr, type);
  const Bytes bytes = attribute_bytes(*found, attributes);
  CHECK_OK(check_fields(found->fields, bytes.data()));
  std::vector<uint32_t> aligned(bytes.size() / sizeof(uint32_t) + 1);
  if (!bytes.empty()) std::memcpy(aligned.data(), bytes.data(), bytes.size());
  std::vector<TensorDesc> from;
  for (const uint32_t index : inputs) from.push_back(tensors_[index].desc);
  std::vector<TensorDesc> to = {result};
  std::vector<float> weights;
  if (found->widens_weights && from[1].dtype == DType::kF16) {
    weights = widened(from[1]);
    from[1].dtype = DType::kF32;
    from[1].constant = weights.data();
  }
  std::unique_ptr<Operator> op_made;
  Status status =
      found->create({.attributes = aligned.data(), .inputs = from, .outputs = to}, &op_made);
  if (status.ok()) status = op_made->reshape(from, to);
  if (!status.ok()) return status;
  *made = tensor(std::to_string(tensors_.size()), result.dtype, to[0].shape,
                 {result.scale, result.zero_point});
  op(type, std::move(inputs), {*made}, attributes);
  return {};
}

std::vector<format::Tensor> ModelBuilder::tensor_records(Bytes* strings, Bytes* data) const {
  std::vector<format::Tensor> records;
  for (const Tensor& tensor : tensors_) {
    const format::StringRef name = add_text(*tensor.name, strings);
    format::Tensor& record = records.emplace_back();
    record = {.name_offset = name.offset,
              .name_length = name.length,
              .dtype = static_cast<uint32_t>(tensor.desc.dtype),
              .rank = tensor.desc.shape.rank,
              .dims = {},
              .scale = tensor.desc.scale,
              .zero_point = tensor.desc.zero_point,
              .is_constant = tensor.bytes.empty() ? 0u : 1u,
              .reserved = 0,
              .data_offset = tensor.bytes.empty() ? 0 : data->size()};
    std::copy_n(tensor.desc.shape.dims.begin(), kMaxRank, record.dims);
    append_bytes(tensor.bytes.data(), tensor.bytes.size(), data);
    align(data);
  }
  data->resize(data->size() + format::kDataSlack);
  return records;
}

std::vector<std::byte> ModelBuilder::network_section(Bytes* strings, Bytes* data) const {
  const std::vector<format::Tensor> tensors = tensor_records(strings, data);
  std::vector<uint32_t> operands = inputs_;
  operands.insert(operands.end(), outputs_.begin(), outputs_.end());
  std::vector<format::Operator> operators;
  Bytes attributes;
  for (const Op& op : ops_) {
    const format::StringRef type = add_text(op.type, strings);
    const format::StringRef name = add_text(std::to_string(operators.size()), strings);
    operators.push_back(
        {type.offset, type.length, name.offset, name.length, static_cast<uint32_t>(operands.size()),
         static_cast<uint32_t>(op.inputs.size()), static_cast<uint32_t>(op.outputs.size()),
         static_cast<uint32_t>(attributes.size())});
    operands.insert(operands.end(), op.inputs.begin(), op.inputs.end());
    operands.insert(operands.end(), op.outputs.begin(), op.outputs.end());
    append_bytes(op.attributes.data(), op.attributes.size(), &attributes);
  }
  Bytes section;
  append(
      format::Network{
          static_cast<uint32_t>(tensors.size()), static_cast<uint32_t>(operators.size()),
          static_cast<uint32_t>(operands.size()), static_cast<uint32_t>(inputs_.size()),
          static_cast<uint32_t>(outputs_.size()), static_cast<uint32_t>(attributes.size())},
      &section);
  for (const format::Tensor& tensor : tensors) append(tensor, &section);
  for (const format::Operator& record : operators) append(record, &section);
  for (const uint32_t operand : operands) append(operand, &section);
  append_bytes(attributes.data(), attributes.size(), &section);
  return section;
}

std::vector<std::byte> ModelBuilder::build() const {
  using format::SectionKind;
  Bytes strings, data, metadata;
  std::vector<Section> sections;
  sections.push_back(
      make_section(SectionKind::kNetwork, "main", network_section(&strings, &data), &strings));
  for (const auto& [key, value] : metadata_) {
    append(add_text(key, &strings), &metadata);
    append(add_text(value, &strings), &metadata);
  }
  sections.push_back(make_section(SectionKind::kMetadata, "", metadata, &strings));
  for (const auto& [name, bytes] : assets_) {
    sections.push_back(make_section(SectionKind::kAsset, name, bytes, &strings));
  }
  sections.push_back(make_section(SectionKind::kData, "", data, &strings));
  const auto kind = static_cast<uint32_t>(SectionKind::kStrings);
  sections.push_back({{kind, 0, 0, 0, 0, strings.size()}, strings});
  return assemble(std::move(sections));
}

std::shared_ptr<const Model> ModelBuilder::load() const {
  ModelBytes bytes;
  CHECK_OK(ModelBytes::copy(build(), &bytes));
  std::shared_ptr<const Model> model;
  CHECK_OK(Model::load(std::move(bytes), &model));
  return model;
}

}  // namespace bitpose::test
