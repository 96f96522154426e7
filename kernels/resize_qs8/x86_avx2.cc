// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/quantize_avx2.h"
#include "kernels/resize_qs8/vector.h"

namespace bitpose {
namespace {

class Blend {
 public:
  struct Corners {
    __m256 top_left, top_right, bottom_left, bottom_right;
  };
  struct Weights {
    __m256 left, right;

    static Weights splat(float left, float right) {
      return {_mm256_set1_ps(left), _mm256_set1_ps(right)};
    }
    static Weights load(const float* left, const float* right) {
      return {_mm256_loadu_ps(left), _mm256_loadu_ps(right)};
    }
  };

  explicit Blend(const ResizeQs8Args& args)
      : zero_point_(_mm256_set1_epi32(args.zero_point)),
        x_scale_(_mm256_set1_ps(args.x_scale)),
        top_weight_(_mm256_set1_ps(args.top_weight)),
        bottom_weight_(_mm256_set1_ps(args.bottom_weight)),
        quantize_(args.y_scale, args.range) {}

  Corners corners(const int8_t* top_left, const int8_t* top_right, const int8_t* bottom_left,
                  const int8_t* bottom_right) const {
    return {numbers(top_left), numbers(top_right), numbers(bottom_left), numbers(bottom_right)};
  }

  /// 8 codes in the lower half.
  __m128i codes(const Corners& x, const Weights& weights) const {
    const auto term = [](__m256 column_weight, __m256 row_weight, __m256 corner) {
      return _mm256_mul_ps(_mm256_mul_ps(column_weight, row_weight), corner);
    };
    __m256 y = term(weights.left, top_weight_, x.top_left);
    y = _mm256_add_ps(y, term(weights.right, top_weight_, x.top_right));
    y = _mm256_add_ps(y, term(weights.left, bottom_weight_, x.bottom_left));
    y = _mm256_add_ps(y, term(weights.right, bottom_weight_, x.bottom_right));
    return quantize_.codes(quantize_.rounded(y));
  }

  static void store(int8_t* dst, __m128i codes, size_t count) {
    store_up_to_8(dst, static_cast<uint64_t>(_mm_cvtsi128_si64(codes)), count);
  }

 private:
  __m256 numbers(const int8_t* codes) const {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes));
    const __m256i centred = _mm256_sub_epi32(_mm256_cvtepi8_epi32(bytes), zero_point_);
    return _mm256_mul_ps(_mm256_cvtepi32_ps(centred), x_scale_);
  }

  __m256i zero_point_;
  __m256 x_scale_, top_weight_, bottom_weight_;
  QuantizeAvx2 quantize_;
};

}  // namespace

void resize_qs8_8__avx2(const ResizeQs8Args& args) { resize_qs8<Blend>(args); }

}  // namespace bitpose
