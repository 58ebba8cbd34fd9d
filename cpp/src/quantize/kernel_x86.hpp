// What both wide builds for x86-64 do alike, in the namespace of each.
#pragma once

#include <immintrin.h>

#include "quantize/kernel.hpp"

namespace quantmap {
namespace QUANTMAP_KERNEL {

inline float from_half(std::uint16_t value) { return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(value))); }
inline __m256i load256(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }

// Of the largest of sixteen words a pair of instructions tells it, so narrow registers do here.
template <class Word>
Word largest_word(const Word* from, std::size_t count, Word magnitude) {
  if constexpr (sizeof(Word) == 2) {
    const __m256i mask = _mm256_set1_epi16(static_cast<short>(magnitude));
    __m256i most[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    std::size_t i = 0;
    for (; i + 64 <= count; i += 64) {
      for (std::size_t k = 0; k < 4; ++k) {
        most[k] = _mm256_max_epu16(most[k], _mm256_and_si256(load256(from + i + 16 * k), mask));
      }
    }
    for (; i < count; i += 16) most[0] = _mm256_max_epu16(most[0], _mm256_and_si256(load256(from + i), mask));
    const __m256i all = _mm256_max_epu16(_mm256_max_epu16(most[0], most[1]), _mm256_max_epu16(most[2], most[3]));
    const __m128i eight = _mm_max_epu16(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    const __m128i least = _mm_minpos_epu16(_mm_xor_si128(eight, _mm_set1_epi16(-1)));
    return static_cast<Word>(~_mm_cvtsi128_si32(least));
  } else {
    const __m256i mask = _mm256_set1_epi32(static_cast<std::int32_t>(magnitude));
    __m256i most = _mm256_setzero_si256();
    for (std::size_t i = 0; i < count; i += 8) {
      most = _mm256_max_epu32(most, _mm256_and_si256(load256(from + i), mask));
    }
    alignas(32) Word words[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(words), most);
    Word out = 0;
    for (const Word word : words) out = out < word ? word : out;
    return out;
  }
}

}  // namespace QUANTMAP_KERNEL
}  // namespace quantmap
