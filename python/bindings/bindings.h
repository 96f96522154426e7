// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pybind11/pybind11.h>

#include "engine/model/status.h"

/// The parts of the Python module `bitpose._core`, documented in bitpose/_core.pyi.
namespace bitpose::python {

namespace py = pybind11;

void register_kernels(py::module_& module);
void register_kernel_calls(py::module_& module);
void register_model(py::module_& module);
void register_schema(py::module_& module);
void register_session(py::module_& module);

/// Raises the Python exception that stands for `status` unless it is a success. Needs the GIL.
void check(const Status& status);

}  // namespace bitpose::python
