// SPDX-License-Identifier: Apache-2.0
#include <pybind11/stl.h>

#include "python/bindings/model.h"

namespace bitpose::python {

void register_model(py::module_& module) {
  py::class_<PyModel>(module, "Model", "What a `.bpm` file holds, completely checked.")
      .def(py::init<const ModelSource&>(), py::arg("model"))
      .def_property_readonly("networks", &PyModel::networks)
      .def_property_readonly("metadata", &PyModel::metadata)
      .def_property_readonly("assets", &PyModel::assets)
      .def("asset", &PyModel::asset, py::arg("name"))
      .def("network", &PyModel::network, py::arg("name"));
}

}  // namespace bitpose::python
