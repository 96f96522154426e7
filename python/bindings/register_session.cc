// SPDX-License-Identifier: Apache-2.0
#include <pybind11/stl.h>

#include "kernels/base/isa.h"
#include "python/bindings/session.h"

namespace bitpose::python {
namespace {

void register_tensor_info(py::module_& module) {
  py::class_<TensorInfo>(module, "TensorInfo", "An input or output of a network.")
      .def_readonly("name", &TensorInfo::name)
      .def_readonly("dtype", &TensorInfo::dtype)
      .def_readonly("shape", &TensorInfo::shape)
      .def_readonly("scale", &TensorInfo::scale)
      .def_readonly("zero_point", &TensorInfo::zero_point)
      .def("__repr__", [](const TensorInfo& info) {
        return py::str("TensorInfo(name={!r}, dtype={!r}, shape={}, scale={}, zero_point={})")
            .format(info.name, info.dtype, info.shape, info.scale, info.zero_point);
      });
}

void register_planned_tensor(py::module_& module) {
  py::class_<PlannedTensor>(module, "PlannedTensor", "Where a tensor lies during a run, and when.")
      .def_readonly("name", &PlannedTensor::name)
      .def_readonly("offset", &PlannedTensor::offset)
      .def_readonly("bytes", &PlannedTensor::bytes)
      .def_readonly("first", &PlannedTensor::first)
      .def_readonly("last", &PlannedTensor::last)
      .def("__repr__", [](const PlannedTensor& t) {
        return py::str("PlannedTensor(name={!r}, offset={}, bytes={}, first={}, last={})")
            .format(t.name, t.offset, t.bytes, t.first, t.last);
      });
}

void register_operator_profile(py::module_& module) {
  py::class_<OperatorProfile>(module, "OperatorProfile", "What one operator took in a run.")
      .def_readonly("name", &OperatorProfile::name)
      .def_readonly("type", &OperatorProfile::type)
      .def_readonly("kernel", &OperatorProfile::kernel)
      .def_readonly("microseconds", &OperatorProfile::microseconds)
      .def_readonly("macs", &OperatorProfile::macs)
      .def_readonly("bytes", &OperatorProfile::bytes)
      .def("__repr__", [](const OperatorProfile& row) {
        return py::str(
                   "OperatorProfile(name={!r}, type={!r}, kernel={!r}, microseconds={}, macs={}, "
                   "bytes={})")
            .format(row.name, row.type, row.kernel, row.microseconds, row.macs, row.bytes);
      });
}

}  // namespace

void register_session(py::module_& module) {
  register_tensor_info(module);
  register_planned_tensor(module);
  register_operator_profile(module);
  py::class_<PySession>(module, "Session", "A network that is loaded and packed for this CPU.")
      .def(py::init<const ModelSource&, size_t, const std::optional<std::string>&, bool,
                    const std::string&>(),
           py::arg("model"), py::arg("threads") = 1, py::arg("isa") = py::none(),
           py::arg("keep_intermediates") = false, py::arg("network") = "")
      .def_property_readonly("inputs", &PySession::inputs)
      .def_property_readonly("outputs", &PySession::outputs)
      .def_property_readonly("tensor_infos", &PySession::tensor_infos)
      .def_property_readonly("memory_plan", &PySession::memory_plan)
      .def("run", &PySession::run, py::arg("inputs"))
      .def("tensors", &PySession::tensors)
      .def("profile", &PySession::profile, py::arg("inputs"))
      .def("chrome_trace", &PySession::chrome_trace)
      .def_property_readonly("macs", &PySession::macs)
      .def_property_readonly("arena_bytes", [](const PySession& s) { return s.memory().arena; })
      .def_property_readonly("arena_lower_bound",
                             [](const PySession& s) { return s.memory().lower_bound; })
      .def_property_readonly("scratch_bytes", [](const PySession& s) { return s.memory().scratch; })
      .def_property_readonly("packed_bytes", [](const PySession& s) { return s.memory().packed; });
}

}  // namespace bitpose::python
