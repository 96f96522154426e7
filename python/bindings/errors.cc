// SPDX-License-Identifier: Apache-2.0
#include "python/bindings/bindings.h"

namespace bitpose::python {
namespace {

/// Messages may quote names from a damaged file.
py::str text(const std::string& message) {
  return py::reinterpret_steal<py::str>(
      PyUnicode_DecodeUTF8(message.data(), static_cast<Py_ssize_t>(message.size()), "replace"));
}

py::object exception_class(StatusCode code) {
  const auto of_bitpose = [](const char* name) {
    return py::object(py::module_::import("bitpose.errors").attr(name));
  };
  switch (code) {
    case StatusCode::kInvalidModel:
      return of_bitpose("InvalidModelError");
    case StatusCode::kUnsupported:
      return of_bitpose("UnsupportedModelError");
    case StatusCode::kOutOfMemory:
      return py::reinterpret_borrow<py::object>(PyExc_MemoryError);
    case StatusCode::kIoError:
      return py::reinterpret_borrow<py::object>(PyExc_OSError);
    case StatusCode::kInvalidArgument:
    case StatusCode::kOk:
      break;
  }
  return of_bitpose("InputError");
}

}  // namespace

void check(const Status& status) {
  if (status.ok()) return;
  PyErr_SetObject(exception_class(status.code()).ptr(), text(status.message()).ptr());
  throw py::error_already_set();
}

}  // namespace bitpose::python
