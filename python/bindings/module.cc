// SPDX-License-Identifier: Apache-2.0
#include "python/bindings/bindings.h"

PYBIND11_MODULE(_core, module, pybind11::mod_gil_not_used()) {
  using namespace bitpose::python;
  module.doc() =
      "The engine: models, sessions, the layout of model files, and every kernel by name.";
  register_model(module);
  register_session(module);
  register_schema(module);
  register_kernels(module);
  register_kernel_calls(module);
}
