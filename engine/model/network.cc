// SPDX-License-Identifier: Apache-2.0
#include "engine/model/network.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "engine/model/format.h"
#include "engine/model/text.h"

namespace bitpose {
namespace {

// Reads the tables of one section in turn. Whether the section holds them has been checked.
struct Cursor {
  const std::byte* next;

  template <typename T>
  void take(T* values, size_t count) {
    if (count > 0) std::memcpy(values, next, count * sizeof(T));
    next += count * sizeof(T);
  }
};

class Reader {
 public:
  Reader(const Strings& strings, std::span<const std::byte> data, Network* network)
      : strings_(strings), data_(data), network_(*network) {}

  Status read(std::span<const std::byte> section);

 private:
  Status read_tables(std::span<const std::byte> section);
  Status read_tensor(size_t index);
  Status read_shape(const format::Tensor& record, const std::string& what, Shape* shape) const;
  Status read_constant(const format::Tensor& record, const std::string& what, TensorDesc* tensor);
  Status check_names() const;
  Status check_sharing() const;
  Status read_operator(size_t index);
  Status read_type(const format::Operator& record, const std::string& what, OperatorNode* node);
  Status check_indices() const;
  Status check_order() const;
  Status check_float16() const;
  std::string tensor_text(uint32_t index) const;

  const Strings& strings_;
  std::span<const std::byte> data_;
  Network& network_;
  format::Network header_{};
  std::vector<format::Tensor> tensors_;
  std::vector<format::Operator> operators_;
  uint64_t next_operand_ = 0;
};

std::string numbered(const char* what, size_t index, std::string_view name) {
  return std::string(what) + " " + std::to_string(index) + " '" + std::string(name) + "'";
}

Status prefixed(const std::string& where, const Status& status) {
  return {status.code(), where + ": " + status.message()};
}

Status Reader::read(std::span<const std::byte> section) {
  Status status = read_tables(section);
  if (!status.ok()) return status;
  network_.tensors.resize(tensors_.size());
  for (size_t i = 0; i < tensors_.size(); ++i) {
    status = read_tensor(i);
    if (!status.ok()) return status;
  }
  status = check_names();
  if (status.ok()) status = check_sharing();
  if (status.ok()) status = check_indices();
  if (!status.ok()) return status;
  network_.operators.resize(operators_.size());
  for (size_t i = 0; i < operators_.size(); ++i) {
    status = read_operator(i);
    if (!status.ok()) return status;
  }
  if (next_operand_ != network_.operands.size()) {
    return invalid_model("its operators use " + std::to_string(next_operand_) + " of " +
                         std::to_string(network_.operands.size()) + " operands");
  }
  status = check_float16();
  return status.ok() ? check_order() : status;
}

Status Reader::read_tables(std::span<const std::byte> section) {
  if (section.size() < sizeof(header_)) {
    return invalid_model("has " + std::to_string(section.size()) + " bytes, expected at least " +
                         std::to_string(sizeof(header_)));
  }
  std::memcpy(&header_, section.data(), sizeof(header_));
  Status status = check_fields(format::kNetworkFields, &header_);
  if (!status.ok()) return status;
  const uint64_t expected = sizeof(header_) + uint64_t{header_.tensors} * sizeof(format::Tensor) +
                            uint64_t{header_.operators} * sizeof(format::Operator) +
                            uint64_t{header_.operands} * sizeof(uint32_t) + header_.attribute_bytes;
  if (expected != section.size()) {
    return invalid_model("its tables need " + std::to_string(expected) + " bytes, it has " +
                         std::to_string(section.size()));
  }
  if (header_.inputs + header_.outputs > header_.operands) {
    return invalid_model("has " + std::to_string(header_.operands) + " operands, fewer than its " +
                         std::to_string(header_.inputs) + " inputs and " +
                         std::to_string(header_.outputs) + " outputs");
  }
  if (header_.attribute_bytes % sizeof(uint32_t) != 0) {
    return invalid_model("attribute_bytes is " + std::to_string(header_.attribute_bytes) +
                         ", expected a multiple of 4");
  }
  tensors_.resize(header_.tensors);
  operators_.resize(header_.operators);
  network_.operands.resize(header_.operands);
  network_.attributes.resize(header_.attribute_bytes / sizeof(uint32_t));
  Cursor cursor{section.data() + sizeof(header_)};
  cursor.take(tensors_.data(), tensors_.size());
  cursor.take(operators_.data(), operators_.size());
  cursor.take(network_.operands.data(), network_.operands.size());
  cursor.take(network_.attributes.data(), network_.attributes.size());
  const std::span<const uint32_t> operands(network_.operands);
  network_.inputs = operands.subspan(0, header_.inputs);
  network_.outputs = operands.subspan(header_.inputs, header_.outputs);
  next_operand_ = header_.inputs + header_.outputs;
  return {};
}

Status Reader::read_tensor(size_t index) {
  const format::Tensor& record = tensors_[index];
  TensorDesc& tensor = network_.tensors[index];
  std::string what = "tensor " + std::to_string(index);
  Status status = check_fields(format::kTensorFields, &record);
  if (!status.ok()) return prefixed(what, status);
  status = strings_.get(record.name_offset, record.name_length, what, &tensor.name);
  if (!status.ok()) return status;
  what = numbered("tensor", index, tensor.name);
  tensor.dtype = static_cast<DType>(record.dtype);
  tensor.scale = record.scale;
  tensor.zero_point = record.zero_point;
  if (tensor.dtype == DType::kF16 && record.is_constant == 0) {
    return invalid_model(what + ": is float16, which only constants may be");
  }
  const auto [low, high] = code_limits(tensor.dtype);
  const bool has_codes = low < high;
  if (has_codes ? tensor.zero_point < low || tensor.zero_point > high : tensor.zero_point != 0) {
    return invalid_model(what + ": zero_point is " + std::to_string(tensor.zero_point) +
                         ", which is no code of " + dtype_name(tensor.dtype));
  }
  status = read_shape(record, what, &tensor.shape);
  if (!status.ok()) return status;
  return read_constant(record, what, &tensor);
}

Status Reader::read_shape(const format::Tensor& record, const std::string& what,
                          Shape* shape) const {
  shape->rank = record.rank;
  uint64_t elements = 1;
  for (uint32_t axis = 0; axis < kMaxRank; ++axis) {
    shape->dims[axis] = record.dims[axis];
    const bool used = axis < record.rank;
    if (!used && record.dims[axis] != 0) {
      return invalid_model(what + ": dims[" + std::to_string(axis) + "] is " +
                           std::to_string(record.dims[axis]) + " at rank " +
                           std::to_string(record.rank));
    }
    if (used) elements *= record.dims[axis];
    if (elements > kMaxElements) {
      return invalid_model(what + ": shape " + shape->text() + " has more than 2^31 elements");
    }
  }
  return {};
}

Status Reader::read_constant(const format::Tensor& record, const std::string& what,
                             TensorDesc* tensor) {
  if (record.is_constant == 0) {
    if (record.data_offset == 0) return {};
    return invalid_model(what + ": has a data_offset, but is no constant");
  }
  const uint64_t offset = record.data_offset;
  const uint64_t needed = tensor->bytes() + format::kDataSlack;
  if (offset % format::kAlignment != 0 || offset > data_.size() || needed > data_.size() - offset) {
    return invalid_model(what + ": its " + std::to_string(tensor->bytes()) +
                         " bytes at data_offset " + std::to_string(offset) +
                         " are not aligned to 64, or with 64 bytes behind them leave the data "
                         "section of " +
                         std::to_string(data_.size()) + " bytes");
  }
  tensor->constant = data_.data() + offset;
  return {};
}

Status Reader::check_names() const {
  std::vector<std::string_view> names;
  names.reserve(network_.tensors.size());
  for (const TensorDesc& tensor : network_.tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return {};
  return invalid_model("two tensors are named '" + std::string(*twice) + "'");
}

// Constants may share all their bytes, but not some: together they have no more than the section.
Status Reader::check_sharing() const {
  struct Range {
    uint64_t begin, end;
    size_t tensor;
  };
  std::vector<Range> ranges;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (tensors_[i].is_constant == 0) continue;
    const uint64_t begin = tensors_[i].data_offset;
    ranges.push_back({begin, begin + network_.tensors[i].bytes(), i});
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  for (size_t i = 1; i < ranges.size(); ++i) {
    const Range& before = ranges[i - 1];
    const Range& range = ranges[i];
    if (range.begin >= before.end || (range.begin == before.begin && range.end == before.end)) {
      continue;
    }
    return invalid_model("the constants '" + std::string(network_.tensors[before.tensor].name) +
                         "' and '" + std::string(network_.tensors[range.tensor].name) +
                         "' overlap in the data section");
  }
  return {};
}

Status Reader::check_indices() const {
  for (size_t i = 0; i < network_.operands.size(); ++i) {
    if (network_.operands[i] < network_.tensors.size()) continue;
    return invalid_model("operand " + std::to_string(i) + " is tensor " +
                         std::to_string(network_.operands[i]) + " of " +
                         std::to_string(network_.tensors.size()));
  }
  return {};
}

Status Reader::read_type(const format::Operator& record, const std::string& what,
                         OperatorNode* node) {
  std::string_view kind;
  Status status = strings_.get(record.type_offset, record.type_length, what, &kind);
  if (!status.ok()) return status;
  node->type = find_operator_type(kind);
  if (node->type == nullptr) {
    return unsupported(what + ": this build has no operator '" + std::string(kind) + "'");
  }
  const OperatorType& type = *node->type;
  if (record.inputs < type.min_inputs || record.inputs > type.max_inputs ||
      record.outputs != type.outputs) {
    return invalid_model(what + " (" + std::string(kind) + "): has " +
                         std::to_string(record.inputs) + " inputs and " +
                         std::to_string(record.outputs) + " outputs, expected " +
                         std::to_string(type.min_inputs) + " to " +
                         std::to_string(type.max_inputs) + " and " + std::to_string(type.outputs));
  }
  return {};
}

Status Reader::read_operator(size_t index) {
  const format::Operator& record = operators_[index];
  OperatorNode& node = network_.operators[index];
  std::string what = "operator " + std::to_string(index);
  Status status = check_fields(format::kOperatorFields, &record);
  if (!status.ok()) return prefixed(what, status);
  status = strings_.get(record.name_offset, record.name_length, what, &node.name);
  if (!status.ok()) return status;
  what = numbered("operator", index, node.name);
  status = read_type(record, what, &node);
  if (!status.ok()) return status;
  const uint64_t operand_end = uint64_t{record.first_operand} + record.inputs + record.outputs;
  if (record.first_operand != next_operand_ || operand_end > network_.operands.size()) {
    return invalid_model(what + ": operands [" + std::to_string(record.first_operand) + ", " +
                         std::to_string(operand_end) + ") do not start at " +
                         std::to_string(next_operand_) + " or leave the operand table of " +
                         std::to_string(network_.operands.size()));
  }
  next_operand_ = operand_end;
  const std::span<const uint32_t> operands(network_.operands);
  node.inputs = operands.subspan(record.first_operand, record.inputs);
  node.outputs = operands.subspan(record.first_operand + record.inputs, record.outputs);
  const uint64_t attribute_end = uint64_t{record.attribute_offset} + node.type->attribute_bytes;
  if (record.attribute_offset % sizeof(uint32_t) != 0 || attribute_end > header_.attribute_bytes) {
    return invalid_model(what + ": attributes [" + std::to_string(record.attribute_offset) + ", " +
                         std::to_string(attribute_end) +
                         ") are not aligned to 4 or leave the attribute bytes (" +
                         std::to_string(header_.attribute_bytes) + ")");
  }
  if (node.type->attribute_bytes == 0) return {};
  node.attributes = network_.attributes.data() + record.attribute_offset / sizeof(uint32_t);
  status = check_fields(node.type->fields, node.attributes);
  return status.ok() ? status : prefixed(node.text(), status);
}

std::string Reader::tensor_text(uint32_t index) const {
  return numbered("tensor", index, network_.tensors[index].name);
}

// Walks the operators as a run does and keeps which tensors have a value.
Status Reader::check_order() const {
  std::vector<bool> has_value(network_.tensors.size());
  for (size_t i = 0; i < has_value.size(); ++i) {
    has_value[i] = network_.tensors[i].constant != nullptr;
  }
  for (const uint32_t input : network_.inputs) {
    if (has_value[input]) {
      return invalid_model("graph input " + tensor_text(input) +
                           " is a constant or another graph input");
    }
    has_value[input] = true;
  }
  for (const OperatorNode& node : network_.operators) {
    for (const uint32_t input : node.inputs) {
      if (!has_value[input]) {
        return invalid_model(node.text() + ": reads " + tensor_text(input) +
                             " before it is written");
      }
    }
    for (const uint32_t output : node.outputs) {
      if (has_value[output]) {
        return invalid_model(node.text() + ": writes " + tensor_text(output) +
                             ", which has a value already");
      }
      has_value[output] = true;
    }
  }
  const auto missing = std::find(has_value.begin(), has_value.end(), false);
  if (missing == has_value.end()) return {};
  return invalid_model(tensor_text(static_cast<uint32_t>(missing - has_value.begin())) +
                       " is never written");
}

// float16 is a form of storage: only operators that widen their weights read it.
Status Reader::check_float16() const {
  const auto is_float16 = [this](uint32_t tensor) {
    return network_.tensors[tensor].dtype == DType::kF16;
  };
  for (const OperatorNode& node : network_.operators) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const bool is_weights = node.type->widens_weights && i == 1;
      if (is_weights || !is_float16(node.inputs[i])) continue;
      return invalid_model(text(node.text(), ": reads ", tensor_text(node.inputs[i]),
                                ", which is float16, but only weights may be"));
    }
  }
  const auto output = std::find_if(network_.outputs.begin(), network_.outputs.end(), is_float16);
  if (output == network_.outputs.end()) return {};
  return invalid_model(text("graph output ", tensor_text(*output), " is float16"));
}

}  // namespace

std::string OperatorNode::text() const {
  return "operator '" + std::string(name) + "' (" + type->name + ")";
}

Status read_network(std::string_view name, std::span<const std::byte> section,
                    const Strings& strings, std::span<const std::byte> data, Network* network) {
  network->name = name;
  Status status = Reader(strings, data, network).read(section);
  return status.ok() ? status : prefixed("network '" + std::string(name) + "'", status);
}

}  // namespace bitpose
