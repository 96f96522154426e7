// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/model/model.h"
#include "python/bindings/bindings.h"

namespace bitpose::python {

/// The bytes of a model, or the path of one.
using ModelSource = std::variant<py::bytes, std::string>;

/// Copies bytes, maps files. Does not need the GIL.
Status load_model(const ModelSource& source, std::shared_ptr<const Model>* model);

/// What a model file holds, as Python's own types.
class PyModel {
 public:
  explicit PyModel(const ModelSource& source);

  std::vector<std::string> networks() const;
  py::dict metadata() const;
  /// Their sizes by name.
  py::dict assets() const;
  /// The asset's bytes where they lie; the view keeps the model alive.
  py::memoryview asset(std::string_view name) const;
  /// Tensors and operators as bitpose.model_file writes them; an empty name stands for the first
  /// network.
  py::dict network(std::string_view name) const;

 private:
  std::shared_ptr<const Model> model_;
};

}  // namespace bitpose::python
