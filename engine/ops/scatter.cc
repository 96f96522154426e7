// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/scatter.h"

#include <cstring>
#include <type_traits>

#include "engine/ops/operands.h"

namespace bitpose {
namespace {

template <size_t bytes>
void replace(std::byte* dst, const std::byte* updates, size_t n) {
  std::memcpy(dst, updates, n * bytes);
}

template <typename T, ScatterReduction reduction>
T combine(T a, T b) {
  // Unsigned integers wrap; those below 32 bits are computed in 32, since they promote to int.
  using Wide = std::conditional_t<std::is_integral_v<T>,
                                  std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>, T>;
  if constexpr (reduction == ScatterReduction::kAdd) {
    return static_cast<T>(static_cast<Wide>(a) + static_cast<Wide>(b));
  } else if constexpr (reduction == ScatterReduction::kMul) {
    return static_cast<T>(static_cast<Wide>(a) * static_cast<Wide>(b));
  } else if constexpr (reduction == ScatterReduction::kMin) {
    return b < a ? b : a;
  } else {
    return b > a ? b : a;
  }
}

template <typename T, ScatterReduction reduction>
void combine_row(std::byte* dst, const std::byte* updates, size_t n) {
  auto* y = reinterpret_cast<T*>(dst);
  const auto* u = reinterpret_cast<const T*>(updates);
  for (size_t i = 0; i < n; ++i) y[i] = combine<T, reduction>(y[i], u[i]);
}

template <typename T>
ScatterRow* row_of(ScatterReduction reduction) {
  switch (reduction) {
    case ScatterReduction::kNone:
      return replace<sizeof(T)>;
    case ScatterReduction::kAdd:
      return combine_row<T, ScatterReduction::kAdd>;
    case ScatterReduction::kMul:
      return combine_row<T, ScatterReduction::kMul>;
    case ScatterReduction::kMin:
      return combine_row<T, ScatterReduction::kMin>;
    case ScatterReduction::kMax:
      return combine_row<T, ScatterReduction::kMax>;
  }
  return nullptr;
}

}  // namespace

ScatterRow* scatter_row(DType dtype, ScatterReduction reduction) {
  switch (dtype) {
    case DType::kF32:
      return row_of<float>(reduction);
    case DType::kS8:
      return row_of<int8_t>(reduction);
    case DType::kU8:
      return row_of<uint8_t>(reduction);
    case DType::kS16:
      return row_of<int16_t>(reduction);
    case DType::kS32:
      return row_of<int32_t>(reduction);
    case DType::kS64:
      return row_of<int64_t>(reduction);
    case DType::kBool:
      return reduction == ScatterReduction::kNone ? replace<1> : nullptr;
    case DType::kF16:
      return nullptr;
  }
  return nullptr;
}

Status check_scatter(const CreateArgs& args, ScatterReduction reduction) {
  const DType dtype = args.inputs[0].dtype;
  OperandChecks checks;
  checks.of("indices", args.inputs[1]).dtype({DType::kS32, DType::kS64});
  checks.of("updates", args.inputs[2]).dtype({dtype});
  checks.of("y", args.outputs[0]).dtype({dtype});
  checks.require(scatter_row(dtype, reduction) != nullptr,
                 "operand x is bool, which has no arithmetic");
  return checks.status();
}

void copy_scattered(const RunArgs& args) {
  const TensorRef& x = args.inputs[0];
  const TensorRef& y = args.outputs[0];
  if (x.data != y.data) std::memcpy(y.data, x.data, y.desc->bytes());
}

}  // namespace bitpose
