// SPDX-License-Identifier: Apache-2.0
#include "python/bindings/model.h"

#include <pybind11/numpy.h>

#include <span>

#include "engine/model/text.h"

namespace bitpose::python {
namespace {

py::str text(std::string_view view) { return {view.data(), view.size()}; }

py::tuple indices(std::span<const uint32_t> values) {
  py::tuple all(values.size());
  for (size_t i = 0; i < values.size(); ++i) all[i] = values[i];
  return all;
}

py::tuple tensor_row(const TensorDesc& tensor) {
  py::object data = py::none();
  if (tensor.constant != nullptr) {
    data = py::bytes(static_cast<const char*>(tensor.constant), tensor.bytes());
  }
  return py::make_tuple(text(tensor.name), dtype_name(tensor.dtype),
                        indices(std::span(tensor.shape.dims).first(tensor.shape.rank)),
                        tensor.scale, tensor.zero_point, data);
}

/// The elements of a field: a number, or a tuple of them for an array.
py::object field_of(const Field& field, const std::byte* attributes) {
  py::tuple elements(field.count);
  for (uint32_t i = 0; i < field.count; ++i) {
    const size_t offset = field.offset + i * field_type_bytes(field.type);
    const double value = field_value(field.type, attributes + offset);
    if (field.type == FieldType::kF32) {
      elements[i] = value;
    } else {
      elements[i] = static_cast<int64_t>(value);
    }
  }
  return field.count == 1 ? py::object(elements[0]) : elements;
}

py::tuple operator_row(const OperatorNode& node) {
  py::dict attributes;
  for (const Field& field : node.type->fields) {
    attributes[field.name] = field_of(field, static_cast<const std::byte*>(node.attributes));
  }
  return py::make_tuple(node.type->name, text(node.name), indices(node.inputs),
                        indices(node.outputs), attributes);
}

Status find_asset(const Model& model, std::string_view name, std::span<const std::byte>* bytes) {
  std::vector<std::string_view> names;
  names.reserve(model.assets().size());
  for (const Asset& asset : model.assets()) {
    names.push_back(asset.name);
    if (asset.name != name) continue;
    *bytes = asset.bytes;
    return {};
  }
  return invalid_argument("the model has no asset '" + std::string(name) + "'; it has " +
                          quoted(names));
}

/// A read-only view of bytes of a model. It looks at an array whose base owns the model, so that
/// views of views keep it alive too.
py::memoryview view_of(std::span<const std::byte> bytes,
                       const std::shared_ptr<const Model>& model) {
  const py::capsule owner(new std::shared_ptr<const Model>(model), [](void* pointer) {
    delete static_cast<std::shared_ptr<const Model>*>(pointer);
  });
  const py::array_t<uint8_t> array(static_cast<py::ssize_t>(bytes.size()),
                                   reinterpret_cast<const uint8_t*>(bytes.data()), owner);
  array.attr("setflags")(py::arg("write") = false);
  py::memoryview view(array);
  return view;
}

}  // namespace

Status load_model(const ModelSource& source, std::shared_ptr<const Model>* model) {
  if (const auto* path = std::get_if<std::string>(&source)) return Model::load(*path, model);
  const std::string_view view = std::get<py::bytes>(source);
  ModelBytes bytes;
  Status status = ModelBytes::copy(std::as_bytes(std::span(view)), &bytes);
  return status.ok() ? Model::load(std::move(bytes), model) : status;
}

PyModel::PyModel(const ModelSource& source) {
  Status status;
  {
    const py::gil_scoped_release release;
    status = load_model(source, &model_);
  }
  check(status);
}

std::vector<std::string> PyModel::networks() const {
  std::vector<std::string> names;
  for (const Network& network : model_->networks()) names.emplace_back(network.name);
  return names;
}

py::dict PyModel::metadata() const {
  py::dict all;
  for (const MetadataEntry& entry : model_->metadata()) all[text(entry.key)] = text(entry.value);
  return all;
}

py::dict PyModel::assets() const {
  py::dict all;
  for (const Asset& asset : model_->assets()) all[text(asset.name)] = asset.bytes.size();
  return all;
}

py::memoryview PyModel::asset(std::string_view name) const {
  std::span<const std::byte> bytes;
  check(find_asset(*model_, name, &bytes));
  return view_of(bytes, model_);
}

py::dict PyModel::network(std::string_view name) const {
  const Network* network = nullptr;
  check(model_->find_network(name, &network));
  py::list tensors, operators;
  for (const TensorDesc& tensor : network->tensors) tensors.append(tensor_row(tensor));
  for (const OperatorNode& node : network->operators) operators.append(operator_row(node));
  py::dict all;
  all["name"] = text(network->name);
  all["tensors"] = tensors;
  all["operators"] = operators;
  all["inputs"] = indices(network->inputs);
  all["outputs"] = indices(network->outputs);
  return all;
}

}  // namespace bitpose::python
