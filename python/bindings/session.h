// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pybind11/numpy.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/runtime/profiler.h"
#include "engine/runtime/session.h"
#include "python/bindings/model.h"

namespace bitpose::python {

struct TensorInfo {
  std::string name;
  std::string dtype;
  std::vector<uint32_t> shape;
  float scale;
  int32_t zero_point;
};

/// Where a tensor lies during a run, and from which step to which: step 0 fills the inputs, step
/// i + 1 runs operator i.
struct PlannedTensor {
  std::string name;
  uint64_t offset;
  uint64_t bytes;
  uint32_t first;
  uint32_t last;
};

struct OperatorProfile {
  std::string name;
  std::string type;
  std::string kernel;
  double microseconds;
  uint64_t macs;
  uint64_t bytes;
};

/// A session that speaks numpy. Any number of Python threads may use one at once.
class PySession {
 public:
  using Arrays = std::vector<py::array>;

  /// An empty name of a network stands for the first one.
  PySession(const ModelSource& model, size_t threads, const std::optional<std::string>& isa,
            bool keep_intermediates, const std::string& network);

  std::vector<TensorInfo> inputs() const;
  std::vector<TensorInfo> outputs() const;
  std::vector<TensorInfo> tensor_infos() const;
  uint64_t macs() const;
  MemoryUse memory() const { return session_->memory(); }
  std::vector<PlannedTensor> memory_plan() const;

  Arrays run(const Arrays& inputs);
  py::dict tensors() const;
  std::vector<OperatorProfile> profile(const Arrays& inputs);
  std::string chrome_trace() const;

 private:
  struct Kept;
  class Keeper;

  Arrays observed_run(const Arrays& inputs, RunObserver* observer);
  void check_inputs(const Arrays& inputs) const;

  std::shared_ptr<const Model> model_;
  std::unique_ptr<Session> session_;
  bool keep_intermediates_;

  mutable std::mutex mutex_;          // Guards what the last run and the last profile left.
  std::shared_ptr<const Kept> kept_;  // Null before the first run.
  std::string trace_;                 // Empty before the first profile.
};

}  // namespace bitpose::python
