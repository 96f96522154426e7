// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/partial.h"
#include "kernels/base/quantize_avx2.h"
#include "kernels/resize_qs8/elements.h"
#include "kernels/resize_qs8/resize_qs8.h"

// Channels are lanes. An enlarged picture has several columns between the same two pixels, which
// are converted to numbers once for all of them.
namespace bitpose {
namespace {

/// The four pixels around an output, 8 channels of each, as numbers.
struct Corners {
  __m256 top_left, top_right, bottom_left, bottom_right;
};

class Blend {
 public:
  explicit Blend(const ResizeQs8Args& args)
      : zero_point_(_mm256_set1_epi32(args.zero_point)),
        x_scale_(_mm256_set1_ps(args.x_scale)),
        top_weight_(_mm256_set1_ps(args.top_weight)),
        bottom_weight_(_mm256_set1_ps(args.bottom_weight)),
        quantize_(args.y_scale, args.range) {}

  /// Of the pixels that start at these codes.
  Corners corners(const int8_t* top_left, const int8_t* top_right, const int8_t* bottom_left,
                  const int8_t* bottom_right) const {
    return {numbers(top_left), numbers(top_right), numbers(bottom_left), numbers(bottom_right)};
  }

  /// 8 codes in the lower half.
  __m128i codes(const Corners& x, __m256 left_weight, __m256 right_weight) const {
    const auto term = [](__m256 column_weight, __m256 row_weight, __m256 corner) {
      return _mm256_mul_ps(_mm256_mul_ps(column_weight, row_weight), corner);
    };
    __m256 y = term(left_weight, top_weight_, x.top_left);
    y = _mm256_add_ps(y, term(right_weight, top_weight_, x.top_right));
    y = _mm256_add_ps(y, term(left_weight, bottom_weight_, x.bottom_left));
    y = _mm256_add_ps(y, term(right_weight, bottom_weight_, x.bottom_right));
    return quantize_.codes(quantize_.rounded(y));
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

/// 8 channels of all columns, from channel c on; there is a column.
void resize_channels(const ResizeQs8Args& args, const Blend& blend, size_t c) {
  const int8_t* top = args.top + c;
  const int8_t* bottom = args.bottom + c;
  const auto corners = [&](const ResizeQs8Column& at) {
    return blend.corners(top + at.left, top + at.right, bottom + at.left, bottom + at.right);
  };
  const ResizeQs8Column* held = args.columns;
  Corners x = corners(*held);
  int8_t* dst = args.dst + c;
  const ResizeQs8Column* end = args.columns + args.n;
  for (const ResizeQs8Column* column = args.columns; column < end; ++column, dst += args.kc) {
    if (column->left != held->left || column->right != held->right) x = corners(*column);
    held = column;
    const __m128i codes =
        blend.codes(x, _mm256_set1_ps(column->left_weight), _mm256_set1_ps(column->right_weight));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(dst), codes);
  }
}

/// kc < 8: several columns at a time.
void resize_elements(const ResizeQs8Args& args, const Blend& blend) {
  Elements elements;
  Walk walk{args.columns};
  size_t rest = args.n * args.kc;
  for (int8_t* dst = args.dst; rest > 0;) {
    const size_t count = rest < Elements::kMost ? rest : Elements::kMost;
    walk.gather(args, count, elements);
    for (size_t e = 0; e < count; e += 8) {
      const Corners x = blend.corners(elements.top_left + e, elements.top_right + e,
                                      elements.bottom_left + e, elements.bottom_right + e);
      const __m128i codes = blend.codes(x, _mm256_loadu_ps(elements.left_weight + e),
                                        _mm256_loadu_ps(elements.right_weight + e));
      const size_t left = count - e < 8 ? count - e : 8;
      store_up_to_8(dst + e, static_cast<uint64_t>(_mm_cvtsi128_si64(codes)), left);
    }
    dst += count;
    rest -= count;
  }
}

}  // namespace

void resize_qs8_8__avx2(const ResizeQs8Args& args) {
  if (args.n == 0) return;
  const Blend blend(args);
  if (args.kc < 8) {
    resize_elements(args, blend);
    return;
  }
  // The last 8 channels reach back over channels that are done already.
  for (size_t k = 0; k < args.kc; k += 8) {
    resize_channels(args, blend, k < args.kc - 8 ? k : args.kc - 8);
  }
}

}  // namespace bitpose
