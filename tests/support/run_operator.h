// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "engine/model/aligned_buffer.h"
#include "engine/ops/operator.h"
#include "engine/runtime/thread_pool.h"
#include "kernels/base/overread.h"
#include "tests/support/check.h"

/// Single operators without a model around them.
namespace bitpose::test {

inline TensorDesc describe(DType dtype, const Shape& shape, float scale = 0,
                           int32_t zero_point = 0) {
  TensorDesc desc;
  desc.dtype = dtype;
  desc.shape = shape;
  desc.scale = scale;
  desc.zero_point = zero_point;
  return desc;
}

/// An input of an operator: what is known of it, and its elements.
template <typename T>
struct Input {
  TensorDesc desc;
  std::vector<T> values;
};

/// Creates the operator, checks that it derives the shape of `output` and runs it. Nothing follows
/// the last element of an input.
template <typename T, typename Attributes, typename From>
std::vector<T> run_operator(const char* type_name, const Attributes& attributes,
                            std::vector<Input<From>> inputs, const TensorDesc& output,
                            isa::Set isas, size_t threads) {
  std::vector<TensorDesc> descs;
  for (const Input<From>& input : inputs) descs.push_back(input.desc);
  TensorDesc result = output;
  CreateArgs create;
  create.attributes = &attributes;
  create.inputs = descs;
  create.outputs = {&result, 1};
  create.isas = isas;
  std::unique_ptr<Operator> op;
  const OperatorType* type = find_operator_type(type_name);
  const size_t attribute_bytes = std::is_empty_v<Attributes> ? 0 : sizeof(Attributes);
  CHECK(type->attribute_bytes == attribute_bytes, type_name);
  CHECK_OK(type->create(create, &op));
  CHECK_OK(op->reshape(descs, {&result, 1}));
  CHECK(result.shape == output.shape, result.shape.text() + " for " + output.shape.text());

  ThreadPool pool(threads);
  const size_t scratch_bytes = op->scratch_per_thread(descs, {&result, 1});
  const size_t stride = (scratch_bytes + kAlignment - 1) / kAlignment * kAlignment;
  const AlignedBuffer scratch(stride * threads + 1);
  std::vector<T> values(output.shape.elements());
  std::vector<TensorRef> refs;
  for (size_t i = 0; i < inputs.size(); ++i) refs.push_back({inputs[i].values.data(), &descs[i]});
  const TensorRef result_ref{values.data(), &result};
  RunArgs args;
  args.inputs = refs;
  args.outputs = {&result_ref, 1};
  args.scratch = scratch.data();
  args.scratch_stride = stride;
  args.pool = &pool;
  op->run(args);
  return values;
}

/// Runs the operator on several instruction sets and numbers of threads and compares all bits.
template <typename T, typename Attributes, typename From>
void check_operator(const char* type_name, const Attributes& attributes,
                    const std::vector<Input<From>>& inputs, const TensorDesc& output,
                    const std::vector<T>& expected, const std::string& text) {
  CHECK(expected.size() == output.shape.elements(), text);
  for (const isa::Set isas :
       {isa::Set{isa::scalar}, isa::limit(isa::detect(), "avx2"), isa::detect()}) {
    for (const size_t threads : {1, 3}) {
      const auto got = run_operator<T>(type_name, attributes, inputs, output, isas, threads);
      for (size_t i = 0; i < got.size(); ++i) {
        if (got[i] != got[i] && expected[i] != expected[i]) continue;  // Two NaNs.
        if (std::memcmp(&got[i], &expected[i], sizeof(T)) == 0) continue;
        CHECK(false, std::string(type_name) + " " + text + ": element " + std::to_string(i) +
                         " is " + std::to_string(got[i]) + ", expected " +
                         std::to_string(expected[i]));
      }
    }
  }
}

}  // namespace bitpose::test
