// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/base/math.h"
#include "kernels/unary_f32/unary_f32.h"

// The kernel over any vectors. In an unnamed namespace: see kernels/base/requantize.h.
namespace bitpose {
namespace {

template <typename V>
V floor(V x) {
  const V nearest = rint(x);
  return select(less(x, nearest), nearest - V::splat(1.0f), nearest);
}

/// -0.6 gives -0.
template <typename V>
V ceil(V x) {
  const V nearest = rint(x);
  return copysign(select(less(nearest, x), nearest + V::splat(1.0f), nearest), x);
}

template <typename V>
V sign(V x) {
  const V zero = V::splat(0.0f);
  return select(less(zero, x), V::splat(1.0f), select(less(x, zero), V::splat(-1.0f), x));
}

template <typename V>
V shrink(V x, V threshold, V bias) {
  const V inner = select(less(x, threshold * V::splat(-1.0f)), x + bias, V::splat(0.0f));
  return select(less(threshold, x), x - bias, inner);
}

template <typename V>
V hard_sigmoid(V x, V alpha, V beta) {
  return clamp(fma(x, alpha, beta), V::splat(0.0f), V::splat(1.0f));
}

template <typename V>
V hard_swish(V x) {
  return x * hard_sigmoid(x, V::splat(1.0f / 6.0f), V::splat(0.5f));
}

template <typename V>
V softplus(V x) {
  const V e = exp_f32(copysign(x, V::splat(-1.0f)));
  return max(x, V::splat(0.0f)) + log1p_f32(e);
}

/// tanh(ln(1 + e^x)) = n / (n + 2) with n = e^2x + 2 e^x; both over e^2x where x is positive.
template <typename V>
V mish(V x) {
  const V one = V::splat(1.0f);
  const V two = V::splat(2.0f);
  const auto negative = less(x, V::splat(0.0f));
  const V e = exp_f32(copysign(x, V::splat(-1.0f)));
  const V numerator = select(negative, e * (e + two), fma(e, two, one));
  const V rest = select(negative, two, (e * e) * two);
  return x * (numerator / (numerator + rest));
}

template <typename V>
V gelu(V x) {
  return (x * V::splat(0.5f)) * (V::splat(1.0f) + erf_f32(x * V::splat(0x1.6a09e6p-1f)));
}

template <typename V>
V gelu_tanh(V x) {
  const V slope = fma(x * x, V::splat(0x1.2444f2p-4f), V::splat(0x1.988454p+0f));
  return x * sigmoid_f32(x * slope);
}

template <typename V, typename Function>
void map(size_t n, const float* src, float* dst, const Function& function) {
  size_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) function(V::load(src + i)).store(dst + i);
  if constexpr (V::kLanes > 1) {
    if (i < n) function(V::load_partial(src + i, n - i)).store_partial(dst + i, n - i);
  }
}

template <typename V>
void unary_f32(UnaryFunction function, float alpha, float beta, size_t n, const float* src,
               float* dst) {
  const V a = V::splat(alpha);
  const V b = V::splat(beta);
  const V zero = V::splat(0.0f);
  const V one = V::splat(1.0f);
  const auto each = [=](const auto& f) { map<V>(n, src, dst, f); };
  switch (function) {
    case UnaryFunction::kAbs:
      return each([](V x) { return abs(x); });
    case UnaryFunction::kCeil:
      return each([](V x) { return ceil(x); });
    case UnaryFunction::kCelu:
      return each([=](V x) { return select(less(x, zero), a * expm1_f32(x / a), x); });
    case UnaryFunction::kClip:
      return each([=](V x) { return clamp(x, a, b); });
    case UnaryFunction::kElu:
      return each([=](V x) { return select(less(x, zero), a * expm1_f32(x), x); });
    case UnaryFunction::kErf:
      return each([](V x) { return erf_f32(x); });
    case UnaryFunction::kExp:
      return each([](V x) { return exp_f32(x); });
    case UnaryFunction::kFloor:
      return each([](V x) { return floor(x); });
    case UnaryFunction::kGelu:
      return each([](V x) { return gelu(x); });
    case UnaryFunction::kGeluTanh:
      return each([](V x) { return gelu_tanh(x); });
    case UnaryFunction::kHardSigmoid:
      return each([=](V x) { return hard_sigmoid(x, a, b); });
    case UnaryFunction::kHardSwish:
      return each([](V x) { return hard_swish(x); });
    case UnaryFunction::kLeakyRelu:
      return each([=](V x) { return select(less(x, zero), x * a, x); });
    case UnaryFunction::kLog:
      return each([](V x) { return log_f32(x); });
    case UnaryFunction::kMish:
      return each([](V x) { return mish(x); });
    case UnaryFunction::kNeg:
      return each([](V x) { return x * V::splat(-1.0f); });
    case UnaryFunction::kReciprocal:
      return each([=](V x) { return one / x; });
    case UnaryFunction::kRound:
      return each([](V x) { return rint(x); });
    case UnaryFunction::kSelu:
      return each([=](V x) { return select(less(x, zero), (b * a) * expm1_f32(x), b * x); });
    case UnaryFunction::kShrink:
      return each([=](V x) { return shrink(x, a, b); });
    case UnaryFunction::kSigmoid:
      return each([](V x) { return sigmoid_f32(x); });
    case UnaryFunction::kSign:
      return each([](V x) { return sign(x); });
    case UnaryFunction::kSoftplus:
      return each([](V x) { return softplus(x); });
    case UnaryFunction::kSoftsign:
      return each([=](V x) { return x / (one + abs(x)); });
    case UnaryFunction::kSqrt:
      return each([](V x) { return sqrt(x); });
    case UnaryFunction::kSwish:
      return each([=](V x) { return x * sigmoid_f32(a * x); });
    case UnaryFunction::kTanh:
      return each([](V x) { return tanh_f32(x); });
    case UnaryFunction::kThresholdedRelu:
      return each([=](V x) { return select(less(a, x), x, zero); });
    default:
      return rare_unary_f32(function, n, src, dst);
  }
}

}  // namespace
}  // namespace bitpose
