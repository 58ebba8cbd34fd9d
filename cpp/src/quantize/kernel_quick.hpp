// The quick way of the wide builds: thirty-two values at a time, codes made in bytes, counts kept in bytes and
// words. It does what encode_span does (kernel_rows.hpp) to the bit, of rows whose factors are finite and which need no
// zero point, no flush and no rounding to float16.
#pragma once

#include "quantize/kernel_words.hpp"

namespace quantmap {
namespace QUANTMAP_KERNEL {

template <class V, class W>
__m256 clamped(__m256 scaled, const Limits& limits, QuickSums& sums) {
  if constexpr (W::kInside) return scaled;
  const __m256 out = _mm256_min_ps(_mm256_max_ps(scaled, limits.low), limits.high);
  const __m256 beyond = _mm256_cmp_ps(scaled, out, _CMP_NEQ_UQ);
  sums.clipped = _mm256_sub_epi32(sums.clipped, _mm256_castps_si256(beyond));
  return out;
}

inline void add_errors(__m256 value, __m256 level, __m256 scale, EightSums& sums) {
  const __m256 back = _mm256_mul_ps(level, scale);
  const __m256 error = _mm256_sub_ps(value, back);
  sums.signal = _mm256_add_ps(sums.signal, _mm256_mul_ps(value, value));
  sums.noise = _mm256_add_ps(sums.noise, _mm256_mul_ps(error, error));
  sums.dot = _mm256_add_ps(sums.dot, _mm256_mul_ps(value, back));
}

// What eight values become: whole numbers, or levels.
template <class V, class W>
[[gnu::always_inline]] inline __m256i levels_of(__m256 value, const QuickTile& tile, const Limits& limits,
                                                EightSums& eight, QuickSums& sums) {
  const __m256 kept = clamped<V, W>(quotient<W>(value, tile.factor), limits, sums);
  if constexpr (W::kWhole) {
    const __m256i whole = W::kTruncates ? _mm256_cvttps_epi32(kept) : _mm256_cvtps_epi32(kept);
    add_errors(value, _mm256_cvtepi32_ps(whole), tile.scale, eight);
    return whole;
  } else {
    const __m256 level = round_even<V, typename Narrow<W::kElement>::Format>(kept).value;
    add_errors(value, level, tile.scale, eight);
    return _mm256_castps_si256(level);
  }
}

struct Sixteen {
  __m256i words;  // whole numbers, or the upper halves of levels
  __m256i signs;  // words whose first bits are the values'
};

template <class V, class W>
[[gnu::always_inline]] inline Sixteen encode_sixteen_words(const void* values, std::size_t at, const QuickTile& tile,
                                                           const Limits& limits, QuickSums& sums) {
  __m256 first;
  __m256 second;
  load_sixteen<W>(values, at, first, second);
  const __m256i one = levels_of<V, W>(first, tile, limits, sums.first, sums);
  const __m256i two = levels_of<V, W>(second, tile, limits, sums.second, sums);
  if constexpr (W::kWhole) return {words_of<W>(one, two), _mm256_setzero_si256()};
  const __m256i words = upper_halves<W>(one, two);
  if constexpr (W::kEvenOdd) return {words, load256(static_cast<const std::uint16_t*>(values) + at)};
  return {words, upper_halves<W>(_mm256_castps_si256(first), _mm256_castps_si256(second))};
}

// Codes of small floats without their signs.
template <class W>
__m256i narrow(__m256i first, __m256i second) {
  using Table = Narrow<W::kElement>;
  const __m256i magnitude = _mm256_set1_epi16(0x7fff);
  const __m256i base = _mm256_set1_epi16(Table::kBase);
  first = _mm256_subs_epu16(_mm256_srli_epi16(_mm256_and_si256(first, magnitude), Table::kShift), base);
  second = _mm256_subs_epu16(_mm256_srli_epi16(_mm256_and_si256(second, magnitude), Table::kShift), base);
  const __m256i all = _mm256_packus_epi16(first, second);
  if constexpr (W::kFour) return _mm256_shuffle_epi8(Table::table(), all);
  const __m256i half = _mm256_min_epu8(_mm256_avg_epu8(all, _mm256_setzero_si256()), _mm256_set1_epi8(15));
  return _mm256_sub_epi8(all, _mm256_shuffle_epi8(Table::table(), half));
}

template <class V, class W>
[[gnu::always_inline]] inline void encode_step(const void* values, std::size_t at, const TwoTiles& tiles,
                                               const Limits& limits, QuickSums& sums, std::uint8_t* codes) {
  const Sixteen first = encode_sixteen_words<V, W>(values, at, tiles.first, limits, sums);
  const QuickTile& other = W::kPairs ? tiles.second : tiles.first;
  const Sixteen second = encode_sixteen_words<V, W>(values, at + kLanes, other, limits, sums);
  __m256i out;
  if constexpr (W::kWhole) {
    out = _mm256_packs_epi16(first.words, second.words);
  } else {
    out = narrow<W>(first.words, second.words);
  }
  count_zeros<W>(values, at, out, sums);
  if constexpr (!W::kWhole) {
    const __m256i sign = _mm256_and_si256(_mm256_packs_epi16(first.signs, second.signs), _mm256_set1_epi8(-128));
    out = _mm256_or_si256(out, _mm256_srli_epi16(sign, Narrow<W::kElement>::kSign));
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(codes), in_order<W>(out));
}

// Fewer than a step's values, between zeros that add nothing and count as no zero that was created.
template <class V, class W>
[[gnu::noinline]] QuickSums encode_rest(const void* values, std::size_t at, std::size_t count, float factor,
                                        float scale, const Limits& limits, QuickSums sums, std::uint8_t* codes) {
  constexpr std::size_t kSize = W::kType == Stored::kFloat ? 4 : 2;
  unsigned char rest[kStep * 4] = {};
  std::uint8_t out[kStep];
  __builtin_memcpy(rest, static_cast<const unsigned char*>(values) + at * kSize, count * kSize);
  const QuickTile tile{_mm256_set1_ps(factor), _mm256_set1_ps(scale)};
  encode_step<V, W>(rest, 0, {tile, tile}, limits, sums, out);
  __builtin_memcpy(codes + at, out, count);
  return sums;
}

// Sixteen of what is left over go to the sums of the row, the others are added up alone, as encode_span does it.
template <class V, class Row>
QuickSums encode_end(const RowSpan& span, std::size_t at, const Limits& limits, QuickSums sums, RowSums& out) {
  using W = typename Row::Rest;
  const float* factor = span.factor + at / span.tile;
  const float* scale = span.scale + at / span.tile;
  if (at + kLanes <= span.count) {
    sums = encode_rest<V, W>(span.values, at, kLanes, *factor, *scale, limits, sums, span.codes);
    at += kLanes;
    factor = span.factor + at / span.tile;
    scale = span.scale + at / span.tile;
  }
  if (at == span.count) return sums;
  add_up<W::kType>(encode_rest<V, W>(span.values, at, span.count - at, *factor, *scale, limits, {}, span.codes), out);
  return sums;
}

template <class V, class W>
void quick_span(const Encoding& how, const RowSpan& span, RowSums& out) {
  constexpr std::size_t kSize = W::kType == Stored::kFloat ? 4 : 2;
  const void* const values = span.values;
  std::uint8_t* const codes = span.codes;
  const auto* next = static_cast<const unsigned char*>(values) + span.count * kSize;
  constexpr std::size_t kSecond = W::kPairs ? 1 : 0;  // where the second tile of a step is
  const std::size_t wide = W::kPairs ? kStep : span.tile;
  const std::size_t whole = span.count - span.count % kStep;
  const Limits limits{_mm256_set1_ps(how.low), _mm256_set1_ps(how.high)};
  const float* factor = span.factor;
  const float* scale = span.scale;
  QuickSums sums;
  for (std::size_t at = 0, tile_end = wide, fold_end = kFold; at < whole;) {
    const std::size_t end = least(whole, least(tile_end, fold_end));
    const TwoTiles tiles{{_mm256_set1_ps(factor[0]), _mm256_set1_ps(scale[0])},
                         {_mm256_set1_ps(factor[kSecond]), _mm256_set1_ps(scale[kSecond])}};
    for (; at < end; at += kStep) {
      for (std::size_t byte = 0; byte < kStep * kSize; byte += 64) __builtin_prefetch(next + at * kSize + byte, 0, 2);
      encode_step<V, W>(values, at, tiles, limits, sums, codes + at);
    }
    if (at == tile_end) {
      tile_end += wide;
      factor += kSecond + 1;
      scale += kSecond + 1;
    }
    if (at == fold_end) {
      fold_end += kFold;
      add_up<W::kType>(sums, out);
      sums = {};
    }
  }
  add_up<W::kType>(encode_end<V, W>(span, whole, limits, sums, out), out);
}

template <class V, Stored kType, Element kElement, bool kTruncates, Quotient kQuotient>
void quick_way(const Encoding& how, const RowSpan& span, RowSums& out) {
  if constexpr (kElement == Element::kE2m1) {
    if (span.tile == kLanes) return quick_span<V, Way<kType, kElement, false, kQuotient, false, true>>(how, span, out);
  } else if constexpr (kQuotient == Quotient::kProduct) {  // a division takes longer than what is saved
    const float reach = span.largest * span.factor[0];
    const bool inside = span.tile >= span.count && reach <= how.high && reach <= -how.low;
    if (inside) return quick_span<V, Way<kType, kElement, kTruncates, kQuotient, true, false>>(how, span, out);
  }
  quick_span<V, Way<kType, kElement, kTruncates, kQuotient, false, false>>(how, span, out);
}

template <class V, Stored kType, Element kElement, bool kTruncates>
void quick_element(const Encoding& how, const RowSpan& span, RowSums& out) {
  if (!how.divide) return quick_way<V, kType, kElement, kTruncates, Quotient::kProduct>(how, span, out);
  if constexpr (kType == Stored::kBfloat16) {
    if (how.round_to == kType) return quick_way<V, kType, kElement, kTruncates, Quotient::kRounded>(how, span, out);
  }
  quick_way<V, kType, kElement, kTruncates, Quotient::kDivide>(how, span, out);
}

template <class V, Stored kType>
void quick_type(const Encoding& how, const RowSpan& span, RowSums& out) {
  switch (how.element) {
    case Element::kInt8:
    case Element::kInt4:
      if (how.rounding == Rounding::kEven) return quick_element<V, kType, Element::kInt8, false>(how, span, out);
      return quick_way<V, kType, Element::kInt8, true, Quotient::kProduct>(how, span, out);
    case Element::kE4m3: return quick_element<V, kType, Element::kE4m3, false>(how, span, out);
    case Element::kE5m2: return encode_type<V, kType>(how, span, out);
    case Element::kE2m1: return quick_element<V, kType, Element::kE2m1, false>(how, span, out);
  }
}

inline bool all_finite(const float* factors, std::size_t count) {
  int finite = 1;
  for (std::size_t i = 0; i < count; ++i) finite &= factors[i] <= 3e38F ? 1 : 0;
  return finite != 0;
}

// Whether the encoding has a quick way: products, quotients, and quotients rounded to bfloat16.
inline bool has_quick_way(const Encoding& how, Stored type) {
  const bool whole = how.element == Element::kInt8 || how.element == Element::kInt4;
  const bool cuts = whole && how.rounding == Rounding::kTruncate && !how.divide;
  if (how.flush || (how.rounding != Rounding::kEven && !cuts)) return false;
  const bool rounded = how.round_to == Stored::kBfloat16 && type == how.round_to && how.divide;
  return rounded || how.round_to == Stored::kFloat;
}

// Whether the row can go it.
inline bool is_quick(const Encoding& how, const RowSpan& span) {
  if (span.zero != nullptr || span.count == 0 || !has_quick_way(how, span.type)) return false;
  const bool pairs = span.tile == kLanes && how.element == Element::kE2m1;
  if (span.tile < span.count && !pairs && span.tile % kStep != 0) return false;
  return all_finite(span.factor, (span.count + span.tile - 1) / span.tile);
}

// Eight values at a time, where the row can go the quick way.
template <class V>
bool encode_quickly(const Encoding& how, const RowSpan& span, RowSums& out) {
  if (!is_quick(how, span)) return false;
  switch (span.type) {
    case Stored::kBfloat16: quick_type<V, Stored::kBfloat16>(how, span, out); break;
    case Stored::kHalf: quick_type<V, Stored::kHalf>(how, span, out); break;
    case Stored::kFloat: quick_type<V, Stored::kFloat>(how, span, out); break;
  }
  return true;
}

}  // namespace QUANTMAP_KERNEL
}  // namespace quantmap
