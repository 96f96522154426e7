// SPDX-License-Identifier: Apache-2.0
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <vector>

#include "kernels/add_qs8/add_qs8.h"
#include "kernels/dwconv_f32/check.h"
#include "kernels/dwconv_qs8/check.h"
#include "kernels/gemm_f32/check.h"
#include "kernels/igemm_qs8/check.h"
#include "kernels/lut_x8/lut_x8.h"
#include "kernels/softmax_f32/softmax_f32.h"
#include "kernels/unary_f32/unary_f32.h"
#include "python/bindings/bindings.h"

/// One kernel on given numbers, so that tests can state what it must compute. Shapes are checked
/// here, values only as far as memory safety asks for it.
namespace bitpose::python {
namespace {

template <typename T>
using Array = py::array_t<T, py::array::c_style>;

template <typename T>
using Result = std::optional<Array<T>>;

/// The kernel of that name, which this CPU must be able to run.
template <typename Kernel>
const Kernel& find_kernel(std::span<const Kernel> kernels, const std::string& name) {
  for (const Kernel& kernel : kernels) {
    if (name != kernel.name) continue;
    if (isa::runs(kernel.isa, isa::detect() | isa::test)) return kernel;
    check(invalid_argument("this CPU cannot run " + name));
  }
  check(invalid_argument("there is no kernel " + name));
  return kernels.front();
}

void require(bool condition, const char* expected) {
  if (!condition) check(invalid_argument(std::string("expected ") + expected));
}

template <typename T>
Array<T> matrix(const std::vector<T>& values, size_t rows, size_t columns) {
  Array<T> array({static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(columns)});
  std::copy(values.begin(), values.end(), array.mutable_data());
  return array;
}

template <typename T>
Array<T> like(const py::array& array) {
  return Array<T>(std::vector<py::ssize_t>(array.shape(), array.shape() + array.ndim()));
}

template <typename T>
size_t size(const Array<T>& array) {
  return static_cast<size_t>(array.size());
}

/// Checks a [m, ks, kc], weights [n, ks, kc] and operands by column, none of them empty.
void require_gemm(const py::array& a, const py::array& weights,
                  std::initializer_list<const py::array*> by_column) {
  require(a.ndim() == 3 && weights.ndim() == 3 && a.size() > 0 && weights.size() > 0 &&
              a.shape(1) == weights.shape(1) && a.shape(2) == weights.shape(2),
          "a [m, ks, kc] and weights [n, ks, kc]");
  for (const py::array* operand : by_column) {
    require(operand->ndim() == 1 && operand->shape(0) == weights.shape(0), "one value by column");
  }
}

Result<int8_t> igemm_qs8(const std::string& name, const Array<int8_t>& a,
                         const Array<int8_t>& weights, const Array<int32_t>& bias,
                         const Array<float>& multiplier, int32_t input_zero_point,
                         int32_t weight_zero_point, int32_t zero_point, int32_t qmin, int32_t qmax,
                         bool indirect) {
  const IgemmQs8Kernel& kernel = find_kernel(igemm_qs8_kernels(), name);
  require_gemm(a, weights, {&bias, &multiplier});
  IgemmQs8Problem problem;
  problem.m = static_cast<size_t>(a.shape(0));
  problem.layer.n = static_cast<size_t>(weights.shape(0));
  problem.layer.ks = static_cast<size_t>(weights.shape(1));
  problem.layer.kc = static_cast<size_t>(weights.shape(2));
  problem.layer.weights = weights.data();
  problem.layer.bias = bias.data();
  problem.layer.multiplier = multiplier.data();
  problem.layer.input_zero_point = input_zero_point;
  problem.layer.weight_zero_point = weight_zero_point;
  problem.a = a.data();
  problem.range = {zero_point, qmin, qmax};
  problem.indirect = indirect;
  if (!eligible(kernel, prove_igemm_qs8(problem.layer))) return std::nullopt;
  return matrix(run_igemm_qs8(kernel, problem), problem.m, problem.layer.n);
}

Array<float> gemm_f32(const std::string& name, const Array<float>& a, const Array<float>& weights,
                      const Array<float>& bias, float fmin, float fmax, bool indirect) {
  const GemmF32Kernel& kernel = find_kernel(gemm_f32_kernels(), name);
  require_gemm(a, weights, {&bias});
  GemmF32Problem problem;
  problem.m = static_cast<size_t>(a.shape(0));
  problem.layer.n = static_cast<size_t>(weights.shape(0));
  problem.layer.ks = static_cast<size_t>(weights.shape(1));
  problem.layer.kc = static_cast<size_t>(weights.shape(2));
  problem.layer.weights = weights.data();
  problem.layer.bias = bias.data();
  problem.a = a.data();
  problem.fmin = fmin;
  problem.fmax = fmax;
  problem.indirect = indirect;
  return matrix(run_gemm_f32(kernel, problem), problem.m, problem.layer.n);
}

/// Largest width, stride and dilation: keeps their products in range.
constexpr size_t kMaxWidth = size_t{1} << 20;

/// Checks input rows x [kernel_h, input_w, channels], weights [kernel_h, kernel_w, channels] and
/// operands by channel, none of them empty.
void require_dwconv(const py::array& x, const py::array& weights,
                    std::initializer_list<const py::array*> by_channel) {
  require(x.ndim() == 3 && weights.ndim() == 3 && x.size() > 0 && weights.size() > 0 &&
              x.shape(0) == weights.shape(0) && x.shape(2) == weights.shape(2),
          "x [kernel_h, input_w, channels] and weights [kernel_h, kernel_w, channels]");
  for (const py::array* operand : by_channel) {
    require(operand->ndim() == 1 && operand->shape(0) == weights.shape(2), "one value by channel");
  }
}

void require_extents(std::initializer_list<size_t> extents) {
  for (const size_t extent : extents) {
    require(extent >= 1 && extent <= kMaxWidth, "widths, strides and dilations of 1 to 2^20");
  }
}

Result<int8_t> dwconv_qs8(const std::string& name, const Array<int8_t>& x,
                          const Array<int8_t>& weights, const Array<int32_t>& bias,
                          const Array<float>& multiplier, int32_t input_zero_point,
                          int32_t weight_zero_point, size_t stride_w, size_t dilation_w,
                          size_t pad_left, size_t output_w, size_t first_row, size_t end_row,
                          int32_t zero_point, int32_t qmin, int32_t qmax) {
  const DwconvQs8Kernel& kernel = find_kernel(dwconv_qs8_kernels(), name);
  require_dwconv(x, weights, {&bias, &multiplier});
  require_extents({stride_w, dilation_w, pad_left + 1, output_w});
  DwconvQs8Problem problem;
  problem.layer.channels = static_cast<size_t>(weights.shape(2));
  problem.layer.kernel_h = static_cast<size_t>(weights.shape(0));
  problem.layer.kernel_w = static_cast<size_t>(weights.shape(1));
  require(first_row <= end_row && end_row <= problem.layer.kernel_h, "rows within the filter");
  problem.layer.weights = weights.data();
  problem.layer.bias = bias.data();
  problem.layer.multiplier = multiplier.data();
  problem.layer.input_zero_point = input_zero_point;
  problem.layer.weight_zero_point = weight_zero_point;
  problem.stride_w = stride_w;
  problem.dilation_w = dilation_w;
  problem.pad_left = pad_left;
  problem.input_w = static_cast<size_t>(x.shape(1));
  problem.output_w = output_w;
  problem.input = x.data();
  problem.first_row = first_row;
  problem.end_row = end_row;
  problem.range = {zero_point, qmin, qmax};
  if (!eligible(kernel, prove_dwconv_qs8(problem.layer))) return std::nullopt;
  return matrix(run_dwconv_qs8(kernel, problem), output_w, problem.layer.channels);
}

Array<float> dwconv_f32(const std::string& name, const Array<float>& x, const Array<float>& weights,
                        const Array<float>& bias, size_t stride_w, size_t output_w, float fmin,
                        float fmax) {
  const DwconvF32Kernel& kernel = find_kernel(dwconv_f32_kernels(), name);
  require_dwconv(x, weights, {&bias});
  require_extents({stride_w, output_w});
  DwconvF32Problem problem;
  problem.kernel_h = static_cast<size_t>(weights.shape(0));
  problem.kernel_w = static_cast<size_t>(weights.shape(1));
  problem.layer.channels = static_cast<size_t>(weights.shape(2));
  problem.layer.taps = problem.kernel_h * problem.kernel_w;
  problem.layer.weights = weights.data();
  problem.layer.bias = bias.data();
  problem.stride_w = stride_w;
  problem.output_w = output_w;
  problem.input = x.data();
  problem.fmin = fmin;
  problem.fmax = fmax;
  require(static_cast<size_t>(x.shape(1)) == problem.input_w(),
          "x as wide as the outputs need, padding included");
  return matrix(run_dwconv_f32(kernel, problem), output_w, problem.layer.channels);
}

Array<int8_t> add_qs8(const std::string& name, const Array<int8_t>& a, const Array<int8_t>& b,
                      int16_t a_multiplier, int16_t b_multiplier, int32_t bias, float multiplier,
                      int32_t zero_point, int32_t qmin, int32_t qmax) {
  const AddQs8Kernel& kernel = find_kernel(add_qs8_kernels(), name);
  require(b.size() == a.size() || b.size() == 1, "as many b as a, or one b");
  Array<int8_t> dst = like<int8_t>(a);
  kernel.run({.n = size(a),
              .a = a.data(),
              .b = b.data(),
              .b_is_scalar = b.size() != a.size(),
              .dst = dst.mutable_data(),
              .a_multiplier = a_multiplier,
              .b_multiplier = b_multiplier,
              .bias = bias,
              .multiplier = multiplier,
              .range = {zero_point, qmin, qmax}});
  return dst;
}

Result<uint8_t> lut_x8(const std::string& name, const Array<uint8_t>& x,
                       const Array<uint8_t>& table) {
  const LutX8Kernel& kernel = find_kernel(lut_x8_kernels(), name);
  require(table.size() == 256, "a table of 256 bytes");
  if (!eligible(kernel, prove_lut_x8(table.data()))) return std::nullopt;
  Array<uint8_t> dst = like<uint8_t>(x);
  kernel.run(size(x), x.data(), table.data(), dst.mutable_data());
  return dst;
}

Array<float> softmax_f32(const std::string& name, const Array<float>& x) {
  const SoftmaxF32Kernel& kernel = find_kernel(softmax_f32_kernels(), name);
  require(x.ndim() == 2, "x [rows, n]");
  Array<float> dst = like<float>(x);
  kernel.run(static_cast<size_t>(x.shape(0)), static_cast<size_t>(x.shape(1)), x.data(),
             dst.mutable_data());
  return dst;
}

Array<float> unary_f32(const std::string& name, uint32_t function, const Array<float>& x,
                       float alpha, float beta) {
  const UnaryF32Kernel& kernel = find_kernel(unary_f32_kernels(), name);
  require(function < kUnaryFunctions, "a function");
  Array<float> dst = like<float>(x);
  kernel.run(static_cast<UnaryFunction>(function), alpha, beta, size(x), x.data(),
             dst.mutable_data());
  return dst;
}

/// An array argument that must already have its dtype.
py::arg exact(const char* name) { return py::arg(name).noconvert(); }

}  // namespace

void register_kernel_calls(py::module_& module) {
  module.def("igemm_qs8", igemm_qs8, py::arg("kernel"), exact("a"), exact("weights"), exact("bias"),
             exact("multiplier"), py::arg("input_zero_point"), py::arg("weight_zero_point"),
             py::arg("zero_point"), py::arg("qmin"), py::arg("qmax"), py::arg("indirect") = false);
  module.def("gemm_f32", gemm_f32, py::arg("kernel"), exact("a"), exact("weights"), exact("bias"),
             py::arg("fmin"), py::arg("fmax"), py::arg("indirect") = false);
  module.def("dwconv_qs8", dwconv_qs8, py::arg("kernel"), exact("x"), exact("weights"),
             exact("bias"), exact("multiplier"), py::arg("input_zero_point"),
             py::arg("weight_zero_point"), py::arg("stride_w"), py::arg("dilation_w"),
             py::arg("pad_left"), py::arg("output_w"), py::arg("first_row"), py::arg("end_row"),
             py::arg("zero_point"), py::arg("qmin"), py::arg("qmax"));
  module.def("dwconv_f32", dwconv_f32, py::arg("kernel"), exact("x"), exact("weights"),
             exact("bias"), py::arg("stride_w"), py::arg("output_w"), py::arg("fmin"),
             py::arg("fmax"));
  module.def("add_qs8", add_qs8, py::arg("kernel"), exact("a"), exact("b"), py::arg("a_multiplier"),
             py::arg("b_multiplier"), py::arg("bias"), py::arg("multiplier"), py::arg("zero_point"),
             py::arg("qmin"), py::arg("qmax"));
  module.def("lut_x8", lut_x8, py::arg("kernel"), exact("x"), exact("table"));
  module.def("softmax_f32", softmax_f32, py::arg("kernel"), exact("x"));
  module.def("unary_f32", unary_f32, py::arg("kernel"), py::arg("function"), exact("x"),
             py::arg("alpha"), py::arg("beta"));
}

}  // namespace bitpose::python
