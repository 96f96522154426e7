// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/base/math.h"
#include "kernels/softmax_f32/softmax_f32.h"

namespace bitpose {
namespace {

constexpr size_t kLanes = 16;

/// Sixteen consecutive elements: lanes 0-7 and 8-15.
struct Block {
  __m256 v0, v1;
};

/// All ones in the first `count` lanes.
Block lanes_below(size_t count) {
  const __m256i vcount = _mm256_set1_epi32(static_cast<int>(count));
  const __m256i vlane0 = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i vlane1 = _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15);
  return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(vcount, vlane0)),
          _mm256_castsi256_ps(_mm256_cmpgt_epi32(vcount, vlane1))};
}

Block load(const float* x) { return {_mm256_loadu_ps(x), _mm256_loadu_ps(x + 8)}; }

Block load_first(const float* x, const Block& mask) {
  return {_mm256_maskload_ps(x, _mm256_castps_si256(mask.v0)),
          _mm256_maskload_ps(x + 8, _mm256_castps_si256(mask.v1))};
}

void store_first(float* y, const Block& value, const Block& mask) {
  _mm256_maskstore_ps(y, _mm256_castps_si256(mask.v0), value.v0);
  _mm256_maskstore_ps(y + 8, _mm256_castps_si256(mask.v1), value.v1);
}

__m256 power_of_two(__m256i n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}

/// exp_f32 of each lane.
__m256 exp_lanes(__m256 vinput) {
  using namespace exp_terms;
  const auto all = [](float value) { return _mm256_set1_ps(value); };
  const __m256 vnan = _mm256_cmp_ps(vinput, vinput, _CMP_UNORD_Q);
  const __m256 vx = _mm256_min_ps(_mm256_max_ps(vinput, all(kLow)), all(kHigh));
  const __m256 vn = _mm256_sub_ps(_mm256_fmadd_ps(vx, all(kLog2e), all(kRound)), all(kRound));
  __m256 vt = _mm256_fmadd_ps(vn, all(-kLn2High), vx);
  vt = _mm256_fmadd_ps(vn, all(-kLn2Low), vt);
  __m256 vp = _mm256_fmadd_ps(all(kC6), vt, all(kC5));
  vp = _mm256_fmadd_ps(vp, vt, all(kC4));
  vp = _mm256_fmadd_ps(vp, vt, all(kC3));
  vp = _mm256_fmadd_ps(vp, vt, all(kC2));
  vp = _mm256_fmadd_ps(vp, vt, all(1.0f));
  vp = _mm256_fmadd_ps(vp, vt, all(1.0f));
  const __m256i vexponent = _mm256_cvttps_epi32(vn);
  const __m256i vhalf = _mm256_srai_epi32(vexponent, 1);
  const __m256 vscaled = _mm256_mul_ps(vp, power_of_two(vhalf));
  const __m256 vy = _mm256_mul_ps(vscaled, power_of_two(_mm256_sub_epi32(vexponent, vhalf)));
  return _mm256_blendv_ps(vy, all(std::numeric_limits<float>::quiet_NaN()), vnan);
}

float largest(size_t n, const float* x) {
  const __m256 vlowest = _mm256_set1_ps(-std::numeric_limits<float>::infinity());
  Block vm{vlowest, vlowest};
  // maxps gives its second operand when the first one is NaN.
  const auto update = [&vm](const Block& vx) {
    vm = {_mm256_max_ps(vx.v0, vm.v0), _mm256_max_ps(vx.v1, vm.v1)};
  };
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) update(load(x + i));
  if (i < n) {
    const Block mask = lanes_below(n - i);
    const Block vx = load_first(x + i, mask);
    update({_mm256_blendv_ps(vlowest, vx.v0, mask.v0), _mm256_blendv_ps(vlowest, vx.v1, mask.v1)});
  }
  const __m256 v8 = _mm256_max_ps(vm.v0, vm.v1);
  const __m128 v4 = _mm_max_ps(_mm256_castps256_ps128(v8), _mm256_extractf128_ps(v8, 1));
  const __m128 v2 = _mm_max_ps(v4, _mm_movehl_ps(v4, v4));
  return _mm_cvtss_f32(_mm_max_ss(v2, _mm_movehdup_ps(v2)));
}

float tree_sum(const Block& vsum) {
  const __m256 v8 = _mm256_add_ps(vsum.v0, vsum.v1);
  const __m128 v4 = _mm_add_ps(_mm256_castps256_ps128(v8), _mm256_extractf128_ps(v8, 1));
  const __m128 v2 = _mm_add_ps(v4, _mm_movehl_ps(v4, v4));
  return _mm_cvtss_f32(_mm_add_ss(v2, _mm_movehdup_ps(v2)));
}

/// Writes exp_f32(x - m) and returns its sum.
float exponentials(size_t n, const float* x, float m, float* y) {
  const __m256 vm = _mm256_set1_ps(m);
  Block vsum{_mm256_setzero_ps(), _mm256_setzero_ps()};
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Block vx = load(x + i);
    const Block ve{exp_lanes(_mm256_sub_ps(vx.v0, vm)), exp_lanes(_mm256_sub_ps(vx.v1, vm))};
    _mm256_storeu_ps(y + i, ve.v0);
    _mm256_storeu_ps(y + i + 8, ve.v1);
    vsum = {_mm256_add_ps(vsum.v0, ve.v0), _mm256_add_ps(vsum.v1, ve.v1)};
  }
  if (i < n) {
    const Block mask = lanes_below(n - i);
    const Block vx = load_first(x + i, mask);
    const Block ve{exp_lanes(_mm256_sub_ps(vx.v0, vm)), exp_lanes(_mm256_sub_ps(vx.v1, vm))};
    store_first(y + i, ve, mask);
    // Adding +0 changes no lane: no sum is ever -0.
    vsum = {_mm256_add_ps(vsum.v0, _mm256_and_ps(ve.v0, mask.v0)),
            _mm256_add_ps(vsum.v1, _mm256_and_ps(ve.v1, mask.v1))};
  }
  return tree_sum(vsum);
}

void divide(size_t n, float divisor, float* y) {
  const __m256 vdivisor = _mm256_set1_ps(divisor);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    _mm256_storeu_ps(y + i, _mm256_div_ps(_mm256_loadu_ps(y + i), vdivisor));
  }
  for (; i < n; ++i) y[i] /= divisor;
}

}  // namespace

void softmax_f32_16__avx2(size_t rows, size_t n, const float* src, float* dst) {
  for (size_t row = 0; row < rows; ++row, src += n, dst += n) {
    divide(n, exponentials(n, src, largest(n, src), dst), dst);
  }
}

}  // namespace bitpose
