// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <vector>

#include "kernels/base/reals.h"
#include "kernels/base/workload.h"
#include "kernels/unary_f32/unary_f32.h"

namespace bitpose {
namespace {

/// Those that convolutional networks run most.
constexpr UnaryFunction kFunctions[] = {
    UnaryFunction::kExp,       UnaryFunction::kSigmoid, UnaryFunction::kSwish,
    UnaryFunction::kHardSwish, UnaryFunction::kTanh,    UnaryFunction::kGelu,
};
constexpr PictureShape kPicture = {28, 28, 128};

struct Operands {
  std::vector<float> src, dst;
};

Workload make(size_t kernel, size_t shape) {
  const UnaryFunction function = kFunctions[shape];
  const size_t n = kPicture.elements();
  Random random(1);
  auto operands =
      std::make_shared<Operands>(Operands{reals(random, n, Reals::kPlain), std::vector<float>(n)});
  for (float& x : operands->src) x *= 8.0f;
  const std::string name = kUnaryFunctionNames[static_cast<uint32_t>(function)];
  return {name.substr(1) + " " + kPicture.text(), 0, 2 * sizeof(float) * n,
          [operands, n, function, run = unary_f32_kernels()[kernel].run] {
            run(function, 1.0f, 0.0f, n, operands->src.data(), operands->dst.data());
          }};
}

}  // namespace

KernelWorkloads unary_f32_workloads() { return {std::size(kFunctions), make}; }

}  // namespace bitpose
