// SPDX-License-Identifier: Apache-2.0
#include "tests/support/model_mutator.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>

#include "engine/model/format.h"
#include "engine/model/model.h"
#include "engine/ops/operator.h"
#include "tests/support/model_builder.h"
#include "tests/support/model_view.h"

namespace bitpose::test {
namespace {

template <typename T>
T& any(Random* random, std::span<T> table) {
  return table[static_cast<size_t>(random->integer(0, static_cast<int64_t>(table.size()) - 1))];
}

uint32_t odd_number(Random* random) {
  static constexpr uint32_t kOdd[] = {
      0,    1,     2,     3,        5,        16,          64,          255,        256,
      1000, 65535, 65536, 1u << 20, 1u << 31, 0x7fffffffu, 0xfffffffeu, 0xffffffffu};
  return random->chance(3) ? static_cast<uint32_t>(random->next())
                           : kOdd[random->integer(0, std::ssize(kOdd) - 1)];
}

float odd_float(Random* random) {
  static constexpr float kOdd[] = {0.0f,
                                   -1.0f,
                                   1e-30f,
                                   1e-10f,
                                   0.5f,
                                   1.0f,
                                   1e10f,
                                   1e38f,
                                   std::numeric_limits<float>::infinity(),
                                   std::numeric_limits<float>::quiet_NaN()};
  return random->chance(3) ? random->real(0.0f, 1.0f)
                           : kOdd[random->integer(0, std::ssize(kOdd) - 1)];
}

// A value of the field: mostly one that it accepts.
void mutate_field(Random* random, const Field& field, std::byte* value) {
  if (field.type == FieldType::kF32) {
    const float number = odd_float(random);
    std::memcpy(value, &number, sizeof(number));
    return;
  }
  int64_t number = odd_number(random);
  const auto low = static_cast<int64_t>(std::max(field.low, -2147483648.0));
  const auto high = static_cast<int64_t>(std::min(field.high, 4294967295.0));
  if (random->chance(2)) number = low + random->integer(0, std::min<int64_t>(high - low, 4));
  if (random->chance(6)) number = random->chance(2) ? high : random->integer(low, high);
  const auto word = static_cast<uint32_t>(number);
  std::memcpy(value, &word, sizeof(word));
}

std::string_view type_name(const ModelView& view, std::span<std::byte> file,
                           const format::Operator& op) {
  const uint64_t offset = view.section(format::SectionKind::kStrings).offset + op.type_offset;
  if (offset + op.type_length > file.size()) return {};
  return {reinterpret_cast<const char*>(file.data() + offset), op.type_length};
}

void mutate_attribute(Random* random, const ModelView& view, std::span<std::byte> file) {
  if (view.operators().empty()) return;
  const format::Operator& op = any(random, view.operators());
  const OperatorType* type = find_operator_type(type_name(view, file, op));
  if (type == nullptr || type->fields.empty()) return;
  if (uint64_t{op.attribute_offset} + type->attribute_bytes > view.attributes().size()) return;
  const Field& field = any(random, type->fields);
  mutate_field(random, field, view.attributes().data() + op.attribute_offset + field.offset);
}

void mutate_extent(Random* random, const ModelView& view, std::span<std::byte>) {
  format::Tensor& tensor = random->chance(2) && view.network().inputs > 0
                               ? view.tensors()[static_cast<size_t>(random->integer(
                                     0, std::min<int64_t>(4, std::ssize(view.tensors()) - 1)))]
                               : any(random, view.tensors());
  const auto axis = static_cast<size_t>(random->integer(0, kMaxRank - 1));
  switch (random->integer(0, 4)) {
    case 0:
      tensor.dims[axis] = odd_number(random);
      break;
    case 1:
      std::swap(tensor.dims[axis], tensor.dims[static_cast<size_t>(random->integer(0, 5))]);
      break;
    case 2:
      tensor.dims[axis] += static_cast<uint32_t>(random->integer(-1, 2));
      break;
    case 3:
      tensor.dims[axis] = static_cast<uint32_t>(random->integer(0, 70));
      break;
    case 4:
      if (tensor.rank < kMaxRank) tensor.dims[tensor.rank++] = 1;
      break;
  }
}

void mutate_tensor(Random* random, const ModelView& view, std::span<std::byte>) {
  format::Tensor& tensor = any(random, view.tensors());
  switch (random->integer(0, 7)) {
    case 0:
      tensor.dtype = static_cast<uint32_t>(random->integer(0, 7));
      break;
    case 1:
    case 2:
      tensor.scale = odd_float(random);
      break;
    case 3:
    case 4:
      tensor.zero_point = static_cast<int32_t>(random->integer(-129, 128));
      break;
    case 5:
      tensor.is_constant ^= 1;
      break;
    case 6:
      tensor.data_offset = 64 * static_cast<uint64_t>(random->integer(0, 40));
      break;
    case 7:
      tensor.rank = static_cast<uint32_t>(random->integer(0, 7));
      break;
  }
}

void mutate_operand(Random* random, const ModelView& view, std::span<std::byte>) {
  any(random, view.operands()) =
      random->chance(8) ? odd_number(random)
                        : static_cast<uint32_t>(random->integer(0, std::ssize(view.tensors())));
}

// Another graph output: always possible.
void mutate_output(Random* random, const ModelView& view, std::span<std::byte>) {
  const format::Network& network = view.network();
  if (uint64_t{network.inputs} + network.outputs > network.operands) return;
  const std::span<uint32_t> outputs = view.operands().subspan(network.inputs, network.outputs);
  if (outputs.empty()) return;
  any(random, outputs) = static_cast<uint32_t>(random->integer(0, std::ssize(view.tensors()) - 1));
}

void mutate_operator(Random* random, const ModelView& view, std::span<std::byte>) {
  if (view.operators().empty()) return;
  format::Operator& op = any(random, view.operators());
  format::Operator& other = any(random, view.operators());
  switch (random->integer(0, 4)) {
    case 0:
      std::swap(op.type_offset, other.type_offset);
      std::swap(op.type_length, other.type_length);
      break;
    case 1:
      op.attribute_offset = other.attribute_offset;
      break;
    case 2:
      std::swap(op, other);
      break;
    case 3:
      op.inputs += static_cast<uint32_t>(random->integer(-1, 1));
      break;
    case 4:
      op.attribute_offset = odd_number(random);
      break;
  }
}

// Numbers that the operators compute with: any bits are allowed in most constants.
void mutate_constant(Random* random, const ModelView& view, std::span<std::byte>) {
  const std::span<std::byte> data = view.data();
  if (data.empty()) return;
  for (int64_t left = random->integer(1, 200); left > 0; --left) {
    any(random, data) = static_cast<std::byte>(random->chance(4) ? 0xff : random->next());
  }
}

void mutate_container(Random* random, const ModelView& view, std::span<std::byte> file) {
  const auto word = [&](std::span<std::byte> bytes) {
    const uint32_t value = odd_number(random);
    const auto last = static_cast<int64_t>(bytes.size() / 4) - 1;
    std::memcpy(bytes.data() + 4 * random->integer(0, last), &value, sizeof(value));
  };
  const size_t table = sizeof(format::Header) + view.sections().size() * sizeof(format::Section);
  switch (random->integer(0, 2)) {
    case 0:
      return word(file.first(sizeof(format::Header)));
    case 1:
      return word(file.subspan(sizeof(format::Header), table - sizeof(format::Header)));
    case 2:
      return word({reinterpret_cast<std::byte*>(&view.network()), sizeof(format::Network)});
  }
}

void mutate_byte(Random* random, const ModelView&, std::span<std::byte> file) {
  any(random, file) ^= static_cast<std::byte>(1 << random->integer(0, 7));
}

struct Mutation {
  int weight;
  void (*apply)(Random* random, const ModelView& view, std::span<std::byte> file);
};

constexpr Mutation kMutations[] = {
    {10, mutate_attribute}, {8, mutate_extent},    {5, mutate_tensor},
    {4, mutate_operand},    {2, mutate_output},    {3, mutate_operator},
    {8, mutate_constant},   {1, mutate_container}, {1, mutate_byte},
};

// Whether the file still has the tables that ModelView points into.
bool is_viewable(std::span<std::byte> file) {
  std::shared_ptr<const Model> model;
  return load_copy(file, &model).ok();
}

}  // namespace

void mutate(Random* random, std::vector<std::byte>* file) {
  if (!is_viewable(*file)) return;
  int total = 0;
  for (const Mutation& mutation : kMutations) total += mutation.weight;
  int64_t chosen = random->integer(0, total - 1);
  for (const Mutation& mutation : kMutations) {
    chosen -= mutation.weight;
    if (chosen >= 0) continue;
    mutation.apply(random, ModelView(*file), *file);
    break;
  }
  seal(*file);
}

void repair_shapes(std::vector<std::byte>* file) {
  std::shared_ptr<const Model> model;
  if (!load_copy(*file, &model).ok()) return;
  const Network& network = model->networks()[0];
  std::vector<TensorDesc> tensors = network.tensors;
  const ModelView view(*file);
  for (const OperatorNode& node : network.operators) {
    std::vector<TensorDesc> inputs, outputs;
    for (const uint32_t index : node.inputs) inputs.push_back(tensors[index]);
    for (const uint32_t index : node.outputs) outputs.push_back(tensors[index]);
    std::unique_ptr<Operator> op;
    const CreateArgs args{.attributes = node.attributes, .inputs = inputs, .outputs = outputs};
    if (!node.type->create(args, &op).ok() || !op->reshape(inputs, outputs).ok()) continue;
    for (size_t i = 0; i < outputs.size(); ++i) {
      tensors[node.outputs[i]].shape = outputs[i].shape;
      format::Tensor& record = view.tensors()[node.outputs[i]];
      record.rank = outputs[i].shape.rank;
      for (uint32_t axis = 0; axis < kMaxRank; ++axis) {
        record.dims[axis] = axis < record.rank ? outputs[i].shape[axis] : 0;
      }
    }
  }
  seal(*file);
}

}  // namespace bitpose::test
