// The scales of many small tiles of a row at once, and for AVX2 their largest magnitudes.
#pragma once

#include "quantize/kernel_rows.hpp"
#if defined(__AVX2__)
#include <immintrin.h>

#include "quantize/kernel_x86.hpp"
#endif

namespace quantmap {
namespace QUANTMAP_KERNEL {

// One byte for each of a register's integers.
template <class V>
void store_low_bytes(typename V::I codes, std::uint8_t* to) {
  float kept[V::kWidth];
  V::store(V::from_bits(codes), kept);
  for (std::size_t i = 0; i < V::kWidth; ++i) {
    to[i] = static_cast<std::uint8_t>(__builtin_bit_cast(std::uint32_t, kept[i]));
  }
}

// Scales that are powers of two: the exponent of the largest magnitude, up from a mantissa of 1.75, less the offset.
template <class V>
void exponent_scales(const float* absmax, std::size_t count, std::int32_t offset, const TileScales& out) {
  using I = typename V::I;
  for (std::size_t i = 0; i < count; i += V::kWidth) {
    const I top = V::template shift_right<23>(V::addi(V::bits(V::load(absmax + i)), V::seti(0x200000)));
    const I biased = V::maxi(V::subi(top, V::seti(offset)), V::seti(0));
    const typename V::M least = V::lessi(biased, V::seti(1));
    const I exponent = V::template shift_left<23>(biased);
    const typename V::F scale = V::from_bits(V::selecti(least, V::seti(0x400000), exponent));
    V::store(scale, out.stored + i);
    V::store(scale, out.back + i);
    V::store(V::from_bits(V::subi(V::seti(254 << 23), exponent)), out.factor + i);
    store_low_bytes<V>(biased, out.bits + i);
  }
}

// Scales in e4m3, saturating, over one scale of the whole matrix.
template <class V>
void two_level_scales(const float* absmax, std::size_t count, float share, float global, const TileScales& out) {
  using F = typename V::F;
  const float under = 1.0F / global;
  for (std::size_t i = 0; i < count; i += V::kWidth) {
    const F wanted = V::mul(V::set(global), V::mul(V::load(absmax + i), V::set(share)));
    const Coded<V> scale = round_even<V, E4m3>(V::min(wanted, V::set(448.0F)));
    const F back = V::mul(scale.value, V::set(under));
    const typename V::M none = V::lessi(scale.code, V::seti(1));
    V::store(scale.value, out.stored + i);
    V::store(back, out.back + i);
    V::store(V::select(none, V::set(0), V::div(V::set(1), back)), out.factor + i);
    store_low_bytes<V>(scale.code, out.bits + i);
  }
}

template <class V>
void scales(const ScaleSteps& steps, const float* absmax, std::size_t count, const TileScales& out) {
  if (steps.powers) return exponent_scales<V>(absmax, count, steps.offset, out);
  two_level_scales<V>(absmax, count, steps.share, steps.global, out);
}

#if defined(__AVX2__)
inline constexpr std::size_t kWide = 32;

// The largest magnitudes of eight tiles of sixteen or thirty-two words, in their order.
inline __m128i largest_of_eight(const std::uint16_t* from, std::size_t tile) {
  const __m256i magnitude = _mm256_set1_epi16(0x7fff);
  __m256i most[8];
  for (std::size_t i = 0; i < 8; ++i) {
    const std::uint16_t* begin = from + i * tile;
    most[i] = _mm256_and_si256(load256(begin), magnitude);
    if (tile == kWide) most[i] = _mm256_max_epu16(most[i], _mm256_and_si256(load256(begin + kLanes), magnitude));
  }
  __m256i two[4];
  for (std::size_t i = 0; i < 4; ++i) {
    two[i] = _mm256_max_epu16(_mm256_unpacklo_epi16(most[2 * i], most[2 * i + 1]),
                              _mm256_unpackhi_epi16(most[2 * i], most[2 * i + 1]));
  }
  __m256i four[2];
  for (std::size_t i = 0; i < 2; ++i) {
    four[i] = _mm256_max_epu16(_mm256_unpacklo_epi32(two[2 * i], two[2 * i + 1]),
                               _mm256_unpackhi_epi32(two[2 * i], two[2 * i + 1]));
  }
  const __m256i all =
      _mm256_max_epu16(_mm256_unpacklo_epi64(four[0], four[1]), _mm256_unpackhi_epi64(four[0], four[1]));
  return _mm_max_epu16(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
}

inline __m256 widened(__m128i words, Stored type) {
  if (type == Stored::kHalf) return _mm256_cvtph_ps(words);
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(words), 16));
}

// Small tiles eight at a time.
template <class V>
float absmax_quickly(const void* values, Stored type, std::size_t count, std::size_t tile, float* out) {
  if (type == Stored::kFloat || (tile != kLanes && tile != kWide)) return absmax<V>(values, type, count, tile, out);
  const auto* from = static_cast<const std::uint16_t*>(values);
  __m128i most = _mm_setzero_si128();
  std::size_t at = 0;
  for (; at + 8 * tile <= count; at += 8 * tile, out += 8) {
    const __m128i eight = tile == kWide ? largest_of_eight(from + at, kWide) : largest_of_eight(from + at, kLanes);
    most = _mm_max_epu16(most, eight);
    _mm256_storeu_ps(out, widened(eight, type));
  }
  const float rest = absmax<V>(from + at, type, count - at, tile, out);
  float eight[8];
  _mm256_storeu_ps(eight, widened(most, type));
  float all = rest;
  for (const float value : eight) all = larger(all, value);
  return all;
}

#endif

}  // namespace QUANTMAP_KERNEL
}  // namespace quantmap
