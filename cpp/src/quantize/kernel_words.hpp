// The parts of the quick way (kernel_quick.hpp): what is known of it when it is compiled, its sums, values out of
// memory and codes into bytes.
#pragma once

#include <immintrin.h>

#include "quantize/kernel_rows.hpp"
#include "quantize/kernel_x86.hpp"

namespace quantmap {
namespace QUANTMAP_KERNEL {

inline constexpr std::size_t kStep = 32;

enum class Quotient : std::uint8_t { kProduct, kDivide, kRounded };  // the last: divided and rounded to bfloat16

// What is known when the loop is compiled. Inside: no value of the row is beyond the last code. Pairs: there are two
// tiles to a step.
template <Stored Type, Element Code, bool Truncates, Quotient Scaled, bool Inside, bool Pairs>
struct Way {
  static constexpr Stored kType = Type;
  static constexpr Element kElement = Code;
  static constexpr bool kTruncates = Truncates;
  static constexpr Quotient kQuotient = Scaled;
  static constexpr bool kInside = Inside;
  static constexpr bool kPairs = Pairs;
  static constexpr bool kFour = Code == Element::kE2m1;
  static constexpr bool kWhole = Code == Element::kInt8;
  // bfloat16 is widened to its even and its odd values, all others to the first and the last eight of sixteen.
  static constexpr bool kEvenOdd = Type == Stored::kBfloat16;
  // Few values become zero where there are many exponents: they are counted when one is there.
  static constexpr bool kFewZeros = Code == Element::kE4m3;
  using Rest = Way<Type, Code, Truncates, Scaled, false, false>;  // what is left over gains nothing by a way of its own
};

// From the upper half of a level to its code: the exponent and what is kept of the mantissa, less the base, less what
// the table says of half of that. Below the least normal number codes stand closer than their bits. Of e2m1 the table
// has the codes themselves.
template <Element kElement>
struct Narrow;
template <>
struct Narrow<Element::kE4m3> {
  using Format = E4m3;
  static constexpr int kShift = 4, kBase = 943, kSign = 0;
  static __m256i table() {
    return _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0, 0, 0, 0, 7, 0, 10, 0, 13, 14, 15, 16, 17, 17, 17));
  }
};
template <>
struct Narrow<Element::kE2m1> {
  using Format = E2m1;
  static constexpr int kShift = 6, kBase = 251, kSign = 4;
  static __m256i table() {
    return _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 0, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7));
  }
};

// The sums of eight of the sixteen lanes. They are named and not in arrays, and copied before they are added up, so
// that they stay in registers.
struct EightSums {
  __m256 signal = _mm256_setzero_ps();
  __m256 noise = _mm256_setzero_ps();
  __m256 dot = _mm256_setzero_ps();
};

struct QuickSums {
  EightSums first;
  EightSums second;
  __m256i zero_codes = _mm256_setzero_si256();   // in bytes: at most 255 steps
  __m256i zero_values = _mm256_setzero_si256();  // in words, of floats in integers
  __m256i clipped = _mm256_setzero_si256();      // in integers
  std::uint64_t created = 0;                     // of formats with few zeros
};

inline std::uint64_t total(__m256i counts) {
  alignas(32) std::uint32_t parts[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(parts), counts);
  std::uint64_t out = 0;
  for (const std::uint32_t part : parts) out += part;
  return out;
}

template <bool kEvenOdd>
double add_lanes(double to, __m256 first, __m256 second) {
  float floats[kLanes];
  _mm256_storeu_ps(floats, first);
  _mm256_storeu_ps(floats + 8, second);
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    to += static_cast<double>(floats[kEvenOdd ? lane % 2 * 8 + lane / 2 : lane]);
  }
  return to;
}

struct Limits {
  __m256 low;
  __m256 high;
};

inline std::size_t least(std::size_t a, std::size_t b) { return a < b ? a : b; }

struct QuickTile {
  __m256 factor;
  __m256 scale;
};

struct TwoTiles {
  QuickTile first;
  QuickTile second;
};

// Minus one for each zero among sixteen values: in words, of floats in integers.
template <class W>
__m256i zeros_of(const void* values, std::size_t at) {
  if constexpr (W::kType != Stored::kFloat) {
    const __m256i raw = load256(static_cast<const std::uint16_t*>(values) + at);
    return _mm256_cmpeq_epi16(_mm256_slli_epi16(raw, 1), _mm256_setzero_si256());
  }
  const float* from = static_cast<const float*>(values) + at;
  const __m256 none = _mm256_setzero_ps();
  return _mm256_add_epi32(_mm256_castps_si256(_mm256_cmp_ps(_mm256_loadu_ps(from), none, _CMP_EQ_OQ)),
                          _mm256_castps_si256(_mm256_cmp_ps(_mm256_loadu_ps(from + 8), none, _CMP_EQ_OQ)));
}

// How many zeros there are in counts that zeros_of has made.
template <Stored kType>
std::uint64_t total_zeros(__m256i counts) {
  if constexpr (kType != Stored::kFloat) counts = _mm256_madd_epi16(counts, _mm256_set1_epi16(1));
  return total(_mm256_sub_epi32(_mm256_setzero_si256(), counts));
}

template <Stored kType>
[[gnu::noinline]] void add_up(QuickSums sums, RowSums& out) {
  constexpr bool kEvenOdd = kType == Stored::kBfloat16;
  out.signal = add_lanes<kEvenOdd>(out.signal, sums.first.signal, sums.second.signal);
  out.noise = add_lanes<kEvenOdd>(out.noise, sums.first.noise, sums.second.noise);
  out.dot = add_lanes<kEvenOdd>(out.dot, sums.first.dot, sums.second.dot);
  const std::uint64_t codes = total(_mm256_sad_epu8(sums.zero_codes, _mm256_setzero_si256()));
  out.created += codes - total_zeros<kType>(sums.zero_values) + sums.created;
  out.clipped += total(sums.clipped);
}

// Counts the codes of a step that are zero and the values that were zero before.
template <class W>
[[gnu::always_inline]] inline void count_zeros(const void* values, std::size_t at, __m256i codes, QuickSums& sums) {
  const __m256i zeros = _mm256_cmpeq_epi8(codes, _mm256_setzero_si256());
  if constexpr (W::kFewZeros) {
    const auto mask = static_cast<unsigned>(_mm256_movemask_epi8(zeros));
    if (mask == 0) [[likely]]
      return;
    sums.created += static_cast<unsigned>(__builtin_popcount(mask)) - total_zeros<W::kType>(zeros_of<W>(values, at)) -
                    total_zeros<W::kType>(zeros_of<W>(values, at + kLanes));
  } else {
    const __m256i first = zeros_of<W>(values, at);
    const __m256i second = zeros_of<W>(values, at + kLanes);
    constexpr bool kFloats = W::kType == Stored::kFloat;
    const __m256i both = kFloats ? _mm256_add_epi32(first, second) : _mm256_add_epi16(first, second);
    sums.zero_codes = _mm256_sub_epi8(sums.zero_codes, zeros);
    sums.zero_values = kFloats ? _mm256_add_epi32(sums.zero_values, both) : _mm256_add_epi16(sums.zero_values, both);
  }
}

template <class W>
void load_sixteen(const void* values, std::size_t at, __m256& first, __m256& second) {
  if constexpr (W::kType == Stored::kFloat) {
    first = _mm256_loadu_ps(static_cast<const float*>(values) + at);
    second = _mm256_loadu_ps(static_cast<const float*>(values) + at + 8);
  } else {
    const __m256i raw = load256(static_cast<const std::uint16_t*>(values) + at);
    if constexpr (W::kEvenOdd) {
      first = _mm256_castsi256_ps(_mm256_slli_epi32(raw, 16));
      second = _mm256_castsi256_ps(_mm256_and_si256(raw, _mm256_set1_epi32(static_cast<std::int32_t>(0xffff0000))));
    } else {
      first = _mm256_cvtph_ps(_mm256_castsi256_si128(raw));
      second = _mm256_cvtph_ps(_mm256_extracti128_si256(raw, 1));
    }
  }
}

// The upper halves of sixteen numbers.
template <class W>
__m256i upper_halves(__m256i first, __m256i second) {
  const __m256i low = _mm256_srli_epi32(first, 16);
  if constexpr (W::kEvenOdd) return _mm256_blend_epi16(low, second, 0xaa);
  return _mm256_packus_epi32(low, _mm256_srli_epi32(second, 16));
}

// Sixteen small integers as words, in the same order.
template <class W>
__m256i words_of(__m256i first, __m256i second) {
  if constexpr (W::kEvenOdd) return _mm256_blend_epi16(first, _mm256_slli_epi32(second, 16), 0xaa);
  return _mm256_packs_epi32(first, second);
}

// Bytes of two packed times sixteen words, as the values stood.
template <class W>
__m256i in_order(__m256i bytes) {
  if constexpr (W::kEvenOdd) return _mm256_permute4x64_epi64(bytes, 0xd8);
  return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

template <class W>
__m256 quotient(__m256 value, __m256 factor) {
  if constexpr (W::kQuotient == Quotient::kProduct) return _mm256_mul_ps(value, factor);
  const __m256 exact = _mm256_div_ps(value, factor);
  if constexpr (W::kQuotient == Quotient::kDivide) return exact;
  const __m256i bits = _mm256_castps_si256(exact);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i sum = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
  return _mm256_castsi256_ps(_mm256_and_si256(sum, _mm256_set1_epi32(~0xffff)));
}

}  // namespace QUANTMAP_KERNEL
}  // namespace quantmap
