// SPDX-License-Identifier: Apache-2.0
#include "python/bindings/session.h"

#include <chrono>

#include "kernels/base/isa.h"

namespace bitpose::python {
namespace {

std::vector<py::ssize_t> numpy_shape(const Shape& shape) {
  return {shape.dims.begin(), shape.dims.begin() + shape.rank};
}

py::array new_array(DType dtype, const Shape& shape) {
  return {py::dtype(dtype_name(dtype)), numpy_shape(shape)};
}

py::array new_array(const TensorDesc& tensor) { return new_array(tensor.dtype, tensor.shape); }

std::vector<TensorInfo> describe(std::span<const TensorDesc> tensors) {
  std::vector<TensorInfo> infos;
  for (const TensorDesc& tensor : tensors) {
    const auto dims = tensor.shape.dims.begin();
    infos.push_back({std::string(tensor.name),
                     dtype_name(tensor.dtype),
                     {dims, dims + tensor.shape.rank},
                     tensor.scale,
                     tensor.zero_point});
  }
  return infos;
}

/// "uint8[1, 8, 6, 3]".
std::string text(const py::array& array) {
  return std::string(py::str(array.dtype())) + std::string(py::str(py::list(array.attr("shape"))));
}

Status isa_set(const std::optional<std::string>& name, isa::Set* set) {
  if (!name) {
    *set = isa::enabled();
    return {};
  }
  std::string known;
  for (isa::Set single = 1; single != 0; single <<= 1) {
    const std::string token = isa::name(single);
    if (token == *name) {
      *set = isa::limit(isa::detect(), token);
      return {};
    }
    if (token != "unknown" && single != isa::test) known += (known.empty() ? "" : ", ") + token;
  }
  return invalid_argument("there is no instruction set '" + *name + "', only " + known);
}

}  // namespace

/// The tensors of one run: bytes by tensor index, empty for what was not computed.
struct PySession::Kept {
  struct Tensor {
    Shape shape;
    std::vector<std::byte> bytes;
  };

  std::vector<std::optional<Tensor>> tensors;
};

/// Copies what operators write as soon as they have written it.
class PySession::Keeper final : public RunObserver {
 public:
  explicit Keeper(const Session& session) : session_(session) {
    kept_.tensors.resize(session.tensors().size());
  }

  void before(size_t op, std::span<const TensorRef> inputs) override {
    keep(session_.operator_node(op).inputs, inputs);
  }
  void after(size_t op, std::span<const TensorRef> outputs) override {
    keep(session_.operator_node(op).outputs, outputs);
  }

  Kept take() { return std::move(kept_); }

 private:
  void keep(std::span<const uint32_t> indices, std::span<const TensorRef> tensors) {
    for (size_t i = 0; i < indices.size(); ++i) {
      std::optional<Kept::Tensor>& copy = kept_.tensors[indices[i]];
      if (copy || tensors[i].desc->constant != nullptr) continue;
      const auto* data = tensors[i].as<std::byte>();
      copy = {tensors[i].shape(), {data, data + tensors[i].desc->bytes()}};
    }
  }

  const Session& session_;
  Kept kept_;
};

namespace {

/// Measures each operator, and lets a Profiler see the same run for its time line.
class Stopwatch final : public RunObserver {
 public:
  explicit Stopwatch(const Session& session)
      : profiler_(session), microseconds_(session.operators()) {}

  void before(size_t op, std::span<const TensorRef> inputs) override {
    profiler_.before(op, inputs);
    started_ = Clock::now();
  }
  void after(size_t op, std::span<const TensorRef> outputs) override {
    const std::chrono::duration<double, std::micro> passed = Clock::now() - started_;
    profiler_.after(op, outputs);
    microseconds_[op] = passed.count();
  }

  const Profiler& profiler() const { return profiler_; }
  double microseconds(size_t op) const { return microseconds_[op]; }

 private:
  using Clock = std::chrono::steady_clock;

  Profiler profiler_;
  std::vector<double> microseconds_;
  Clock::time_point started_{};
};

}  // namespace

PySession::PySession(const ModelSource& model, size_t threads,
                     const std::optional<std::string>& isa, bool keep_intermediates,
                     const std::string& network)
    : keep_intermediates_(keep_intermediates) {
  SessionOptions options;
  options.network = network;
  options.threads = threads;
  options.keep_tensors = keep_intermediates;
  Status status = isa_set(isa, &options.isas);
  if (status.ok()) {
    const py::gil_scoped_release release;
    status = load_model(model, &model_);
    if (status.ok()) status = Session::create(model_, options, &session_);
  }
  check(status);
}

std::vector<TensorInfo> PySession::inputs() const { return describe(session_->inputs()); }

std::vector<TensorInfo> PySession::outputs() const { return describe(session_->outputs()); }

std::vector<TensorInfo> PySession::tensor_infos() const { return describe(session_->tensors()); }

uint64_t PySession::macs() const {
  uint64_t sum = 0;
  for (size_t op = 0; op < session_->operators(); ++op)
    sum += session_->operator_info(op).cost.macs;
  return sum;
}

std::vector<PlannedTensor> PySession::memory_plan() const {
  const Plan& plan = session_->plan();
  const std::span<const TensorDesc> tensors = session_->tensors();
  std::vector<PlannedTensor> planned;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const uint32_t index = plan.liveness.buffer_of[i];
    if (index == Liveness::kNoBuffer) continue;
    const Buffer& buffer = plan.liveness.buffers[index];
    planned.push_back({std::string(tensors[i].name), plan.offsets[i], tensors[i].bytes(),
                       buffer.first, buffer.last});
  }
  return planned;
}

void PySession::check_inputs(const Arrays& inputs) const {
  const std::span<const TensorDesc> expected = session_->inputs();
  if (inputs.size() != expected.size()) {
    check(invalid_argument("the network has " + std::to_string(expected.size()) + " inputs, got " +
                           std::to_string(inputs.size()) + " arrays"));
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const py::array& array = inputs[i];
    const TensorDesc& tensor = expected[i];
    const py::array wanted = new_array(tensor);
    const std::string problem =
        "input '" + std::string(tensor.name) + "' must be " + text(wanted) + ", got " + text(array);
    const std::vector<py::ssize_t> shape(array.shape(), array.shape() + array.ndim());
    if (shape != numpy_shape(tensor.shape) || !wanted.dtype().equal(array.dtype())) {
      check(invalid_argument(problem));
    }
    if ((array.flags() & py::array::c_style) == 0) {
      check(invalid_argument(problem + " that is not contiguous"));
    }
  }
}

PySession::Arrays PySession::observed_run(const Arrays& inputs, RunObserver* observer) {
  check_inputs(inputs);
  std::vector<std::span<const std::byte>> sources;
  for (const py::array& array : inputs) {
    sources.emplace_back(static_cast<const std::byte*>(array.data()),
                         static_cast<size_t>(array.nbytes()));
  }
  Arrays outputs;
  std::vector<std::span<std::byte>> targets;
  for (const TensorDesc& tensor : session_->outputs()) {
    outputs.push_back(new_array(tensor));
    targets.emplace_back(static_cast<std::byte*>(outputs.back().mutable_data()), tensor.bytes());
  }
  std::vector<Shape> shapes(targets.size());
  Status status;
  {
    const py::gil_scoped_release release;
    status = session_->run(sources, targets, shapes, observer);
  }
  check(status);
  for (size_t i = 0; i < shapes.size(); ++i) {
    const TensorDesc& most = session_->outputs()[i];
    if (shapes[i] == most.shape) continue;
    py::array smaller = new_array(most.dtype, shapes[i]);
    std::copy_n(targets[i].begin(), smaller.nbytes(),
                static_cast<std::byte*>(smaller.mutable_data()));
    outputs[i] = std::move(smaller);
  }
  return outputs;
}

PySession::Arrays PySession::run(const Arrays& inputs) {
  if (!keep_intermediates_) return observed_run(inputs, nullptr);
  Keeper keeper(*session_);
  Arrays outputs = observed_run(inputs, &keeper);
  auto kept = std::make_shared<const Kept>(keeper.take());
  const std::lock_guard lock(mutex_);
  kept_ = std::move(kept);
  return outputs;
}

py::dict PySession::tensors() const {
  std::shared_ptr<const Kept> kept;
  {
    const std::lock_guard lock(mutex_);
    kept = kept_;
  }
  if (kept == nullptr) {
    check(invalid_argument(keep_intermediates_
                               ? "the session has not run yet"
                               : "the session was made without keep_intermediates"));
  }
  py::dict all;
  const std::span<const TensorDesc> tensors = session_->tensors();
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!kept->tensors[i]) continue;
    const auto& [shape, bytes] = *kept->tensors[i];
    py::array array = new_array(tensors[i].dtype, shape);
    std::copy(bytes.begin(), bytes.end(), static_cast<std::byte*>(array.mutable_data()));
    all[py::str(tensors[i].name.data(), tensors[i].name.size())] = array;
  }
  return all;
}

std::vector<OperatorProfile> PySession::profile(const Arrays& inputs) {
  Stopwatch stopwatch(*session_);
  observed_run(inputs, &stopwatch);
  std::vector<OperatorProfile> rows;
  for (size_t op = 0; op < session_->operators(); ++op) {
    const OperatorInfo info = session_->operator_info(op);
    rows.push_back({std::string(info.name), info.type, info.kernel, stopwatch.microseconds(op),
                    info.cost.macs, info.cost.bytes});
  }
  std::string trace = stopwatch.profiler().trace_json();
  const std::lock_guard lock(mutex_);
  trace_ = std::move(trace);
  return rows;
}

std::string PySession::chrome_trace() const {
  const auto trace = [this] {
    const std::lock_guard lock(mutex_);
    return trace_;
  }();
  if (trace.empty()) check(invalid_argument("the session has no profile yet"));
  return trace;
}

}  // namespace bitpose::python
