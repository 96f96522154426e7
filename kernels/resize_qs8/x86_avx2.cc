// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/partial.h"
#include "kernels/base/requantize_avx2.h"
#include "kernels/resize_qs8/resize_qs8.h"

// Left and right bytes are interleaved, widened to int16 and multiplied by pairs of weights with
// vpmaddwd. The vertical step is h(top) * 2048 + wy * (h(bottom) - h(top)), the same number as the
// contract's, with one 32-bit product.
namespace bitpose {
namespace {

/// The four pixels around an output, up to 16 channels of each.
struct Corners {
  __m128i top_left, top_right, bottom_left, bottom_right;
};

class Blend {
 public:
  explicit Blend(const ResizeQs8Args& args)
      : wy_(_mm256_set1_epi32(args.bottom_weight)),
        offset_(_mm256_set1_epi32(-args.zero_point * kResizeOne * kResizeOne)),
        requantize_(args.multiplier, args.range) {}

  /// 8 codes in the lower half, of the lower 8 channels; `weights` are 8 pairs.
  __m128i codes8(const Corners& x, __m256i weights) const {
    const __m256i acc = this->acc(_mm_unpacklo_epi8(x.top_left, x.top_right),
                                  _mm_unpacklo_epi8(x.bottom_left, x.bottom_right), weights);
    return in_order(requantize_.words(acc, acc));
  }

  /// 8 codes in the lower half, from horizontal sums in order.
  __m128i codes8(__m256i top, __m256i bottom) const {
    const __m256i acc = vertical(top, bottom);
    return in_order(requantize_.words(acc, acc));
  }

  __m128i codes16(const Corners& x, __m256i weights) const {
    const __m256i low = acc(_mm_unpacklo_epi8(x.top_left, x.top_right),
                            _mm_unpacklo_epi8(x.bottom_left, x.bottom_right), weights);
    const __m256i high = acc(_mm_unpackhi_epi8(x.top_left, x.top_right),
                             _mm_unpackhi_epi8(x.bottom_left, x.bottom_right), weights);
    return in_order(requantize_.words(low, high));
  }

 private:
  /// 8 accumulators from 8 pairs of bytes of each row.
  __m256i acc(__m128i top_pairs, __m128i bottom_pairs, __m256i weights) const {
    const __m256i top = _mm256_madd_epi16(_mm256_cvtepi8_epi16(top_pairs), weights);
    const __m256i bottom = _mm256_madd_epi16(_mm256_cvtepi8_epi16(bottom_pairs), weights);
    return vertical(top, bottom);
  }

  __m256i vertical(__m256i top, __m256i bottom) const {
    const __m256i step = _mm256_mullo_epi32(_mm256_sub_epi32(bottom, top), wy_);
    return _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(top, 11), offset_), step);
  }

  __m128i in_order(__m256i words) const {
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5);
    return _mm256_castsi256_si128(
        _mm256_permutevar8x32_epi32(requantize_.codes(words, words), order));
  }

  __m256i wy_, offset_;
  RequantizeAvx2 requantize_;
};

int32_t weight_pair(const ResizeQs8Column& column) {
  return (kResizeOne - column.weight) | column.weight << 16;
}

__m128i load16(const int8_t* src) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(src)); }
__m128i load8(const int8_t* src) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(src)); }

/// kc >= 8: the channels of a column in blocks. The last one reaches back over channels that are
/// done already.
void resize_columns(const ResizeQs8Args& args) {
  const Blend blend(args);
  int8_t* dst = args.dst;
  for (size_t i = 0; i < args.n; ++i, dst += args.kc) {
    const ResizeQs8Column& column = args.columns[i];
    const __m256i weights = _mm256_set1_epi32(weight_pair(column));
    const int8_t* left = args.top + column.left;
    const int8_t* right = args.top + column.right;
    const ptrdiff_t down = args.bottom - args.top;
    if (args.kc >= 16) {
      for (size_t k = 0; k < args.kc; k += 16) {
        const size_t c = k < args.kc - 16 ? k : args.kc - 16;
        const Corners x{load16(left + c), load16(right + c), load16(left + down + c),
                        load16(right + down + c)};
        _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + c), blend.codes16(x, weights));
      }
    } else {
      for (size_t k = 0; k < args.kc; k += 8) {
        const size_t c = k < args.kc - 8 ? k : args.kc - 8;
        const Corners x{load8(left + c), load8(right + c), load8(left + down + c),
                        load8(right + down + c)};
        _mm_storel_epi64(reinterpret_cast<__m128i*>(dst + c), blend.codes8(x, weights));
      }
    }
  }
}

/// Horizontal sums of output elements, whatever columns they belong to; not less any zero point.
struct Sums {
  static constexpr size_t kMost = 32;
  alignas(32) int32_t top[kMost] = {};
  alignas(32) int32_t bottom[kMost] = {};
};

/// Walks the elements of the output; kc is small.
struct Walk {
  const ResizeQs8Column* column;
  size_t k = 0;

  void sum(const ResizeQs8Args& args, size_t count, Sums& sums) {
    // In a copy, which stores to `sums` cannot change.
    Walk walk = *this;
    const int8_t* top = args.top;
    const int8_t* bottom = args.bottom;
    const size_t kc = args.kc;
    for (size_t e = 0; e < count; ++e) {
      const ResizeQs8Column at = *walk.column;
      const size_t left = at.left + walk.k;
      const size_t right = at.right + walk.k;
      sums.top[e] = top[left] * kResizeOne + (top[right] - top[left]) * at.weight;
      sums.bottom[e] = bottom[left] * kResizeOne + (bottom[right] - bottom[left]) * at.weight;
      if (++walk.k == kc) walk = {walk.column + 1};
    }
    *this = walk;
  }
};

/// kc < 8: several columns at a time.
void resize_elements(const ResizeQs8Args& args) {
  const Blend blend(args);
  Sums sums;
  Walk walk{args.columns};
  size_t rest = args.n * args.kc;
  for (int8_t* dst = args.dst; rest > 0;) {
    const size_t count = rest < Sums::kMost ? rest : Sums::kMost;
    walk.sum(args, count, sums);
    for (size_t e = 0; e < count; e += 8) {
      const auto load = [e](const int32_t* values) {
        return _mm256_load_si256(reinterpret_cast<const __m256i*>(values + e));
      };
      const __m128i codes = blend.codes8(load(sums.top), load(sums.bottom));
      const size_t left = count - e < 8 ? count - e : 8;
      store_up_to_8(dst + e, static_cast<uint64_t>(_mm_cvtsi128_si64(codes)), left);
    }
    dst += count;
    rest -= count;
  }
}

}  // namespace

void resize_qs8_16__avx2(const ResizeQs8Args& args) {
  if (args.kc >= 8) {
    resize_columns(args);
  } else {
    resize_elements(args);
  }
}

}  // namespace bitpose
