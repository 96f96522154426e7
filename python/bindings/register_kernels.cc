// SPDX-License-Identifier: Apache-2.0
#include <pybind11/numpy.h>
#include <pybind11/stl.h>
#include <pybind11/typing.h>

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/base/benchmark.h"
#include "kernels/base/family.h"
#include "kernels/base/isa.h"
#include "kernels/base/math.h"
#include "python/bindings/bindings.h"

namespace bitpose::python {
namespace {

/// What this process can run, and what only tests ask for.
isa::Set runnable() { return isa::detect() | isa::test; }

std::vector<std::tuple<std::string, std::string, std::string, bool>> kernels() {
  std::vector<std::tuple<std::string, std::string, std::string, bool>> all;
  for (const KernelFamily& family : kernel_families()) {
    for (size_t i = 0; i < family.count; ++i) {
      const KernelInfo info = family.kernel(i);
      all.emplace_back(family.name, info.name, isa::name(info.isa),
                       isa::runs(info.isa, runnable()));
    }
  }
  return all;
}

std::string compare_kernel(const std::string& family_name, const std::string& name, uint64_t seed) {
  for (const KernelFamily& family : kernel_families()) {
    if (family_name != family.name) continue;
    for (size_t i = 0; i < family.count; ++i) {
      const KernelInfo info = family.kernel(i);
      if (name != info.name) continue;
      if (!isa::runs(info.isa, runnable())) {
        check(invalid_argument("this CPU cannot run " + name));
      }
      const py::gil_scoped_release release;
      return family.compare(i, seed);
    }
  }
  check(invalid_argument("there is no kernel " + family_name + "/" + name));
  return {};
}

py::typing::List<py::dict> time_kernels_here(const std::string& filter, size_t samples,
                                             double sample_seconds,
                                             const std::optional<std::string>& isa) {
  if (samples == 0) check(invalid_argument("samples must be positive"));
  const isa::Set available = isa ? isa::limit(isa::detect(), *isa) : isa::enabled();
  std::vector<KernelTime> times;
  {
    const py::gil_scoped_release release;
    time_kernels({filter, available, samples, sample_seconds},
                 [&](const KernelTime& time) { times.push_back(time); });
  }
  py::typing::List<py::dict> rows;
  for (const KernelTime& time : times) {
    using py::operator""_a;
    rows.append(py::dict("family"_a = time.family, "kernel"_a = time.kernel, "isa"_a = time.isa,
                         "shape"_a = time.shape, "macs"_a = time.macs, "bytes"_a = time.bytes,
                         "median_seconds"_a = time.median, "p10_seconds"_a = time.p10,
                         "p90_seconds"_a = time.p90, "portable_seconds"_a = time.portable));
  }
  return rows;
}

py::array_t<float> exp_array(const py::array_t<float, py::array::c_style>& x) {
  py::array_t<float> y(std::vector<py::ssize_t>(x.shape(), x.shape() + x.ndim()));
  const float* src = x.data();
  float* dst = y.mutable_data();
  for (py::ssize_t i = 0; i < x.size(); ++i) dst[i] = exp_f32(src[i]);
  return y;
}

}  // namespace

void register_kernels(py::module_& module) {
  module.def("kernels", kernels,
             "Every kernel of this build: family, name, instruction set, whether it runs here.");
  module.def("compare_kernel", compare_kernel, py::arg("family"), py::arg("name"), py::arg("seed"),
             "Runs a kernel and the portable one on a random problem; returns the first "
             "difference, or an empty string.");
  module.def("time_kernels", time_kernels_here, py::arg("filter"), py::arg("samples"),
             py::arg("sample_seconds"), py::arg("isa"),
             "Times the kernels that run here and whose name contains `filter`, on the shapes of "
             "their families: a dict for each, as kernels/base/benchmark.h describes them.");
  module.def("exp_f32", exp_array, py::arg("x").noconvert(), "exp of each element.");
}

}  // namespace bitpose::python
