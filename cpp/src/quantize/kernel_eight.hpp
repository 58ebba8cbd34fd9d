// Eight values at a time, by the instructions of AVX2 with F16C.
#pragma once

#include <immintrin.h>

#include "quantize/kernel_rows.hpp"
#include "quantize/kernel_x86.hpp"

namespace quantmap {
namespace QUANTMAP_KERNEL {

struct Eight {
  using F = __m256;
  using I = __m256i;
  using M = __m256;  // of comparisons: all bits or none
  static constexpr std::size_t kWidth = 8;
  static constexpr bool kEveryPath = false;  // what goes a path of its own goes the quick way

  static F set(float value) { return _mm256_set1_ps(value); }
  static I seti(std::int32_t value) { return _mm256_set1_epi32(value); }
  static I bits(F value) { return _mm256_castps_si256(value); }
  static F from_bits(I value) { return _mm256_castsi256_ps(value); }
  static F load(const float* from) { return _mm256_loadu_ps(from); }
  static __m128i load128(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }
  static F load_bfloat16(const std::uint16_t* from) {
    return from_bits(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load128(from)), 16));
  }
  static F load_half(const std::uint16_t* from) { return _mm256_cvtph_ps(load128(from)); }
  static float half(std::uint16_t value) { return from_half(value); }
  static F through_half(F value) { return _mm256_cvtph_ps(_mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT)); }
  static void store(F value, float* to) { _mm256_storeu_ps(to, value); }
  static F add(F a, F b) { return _mm256_add_ps(a, b); }
  static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
  static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  static F div(F a, F b) { return _mm256_div_ps(a, b); }
  static F min(F a, F b) { return _mm256_min_ps(a, b); }
  static F max(F a, F b) { return _mm256_max_ps(a, b); }
  static F abs(F a) { return _mm256_and_ps(a, from_bits(seti(INT32_MAX))); }
  static F trunc(F a) { return _mm256_round_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
  static F nearest(F a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static I to_int(F a) { return _mm256_cvttps_epi32(a); }
  static I addi(I a, I b) { return _mm256_add_epi32(a, b); }
  static I subi(I a, I b) { return _mm256_sub_epi32(a, b); }
  static I andi(I a, I b) { return _mm256_and_si256(a, b); }
  static I maxi(I a, I b) { return _mm256_max_epi32(a, b); }
  static I absi(I a) { return _mm256_abs_epi32(a); }
  static I ori(I a, I b) { return _mm256_or_si256(a, b); }
  template <int kBits>
  static I shift_left(I a) {
    return _mm256_slli_epi32(a, kBits);
  }
  template <int kBits>
  static I shift_right(I a) {
    return _mm256_srli_epi32(a, kBits);
  }
  static M less(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  static M equal(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
  static M differ(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ); }
  static M lessi(I a, I b) { return from_bits(_mm256_cmpgt_epi32(b, a)); }
  static M not_mask(M a) { return _mm256_xor_ps(a, from_bits(seti(-1))); }
  static M andnot_mask(M a, M b) { return _mm256_andnot_ps(a, b); }
  static I ones(M a) { return bits(a); }
  static unsigned count(M a) {
    return static_cast<unsigned>(__builtin_popcount(static_cast<unsigned>(_mm256_movemask_ps(a))));
  }
  static F select(M mask, F a, F b) { return _mm256_blendv_ps(b, a, mask); }
  static I selecti(M mask, I a, I b) { return _mm256_blendv_epi8(b, a, bits(mask)); }
  static void store_bytes(const I (&codes)[2], std::uint8_t* to) {
    const I words = _mm256_permute4x64_epi64(_mm256_packs_epi32(codes[0], codes[1]), 0xd8);
    const I low = _mm256_and_si256(words, _mm256_set1_epi16(0xff));
    const __m128i out = _mm_packus_epi16(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), out);
  }
  template <class Word>
  static Word largest(const Word* from, std::size_t count, Word magnitude) {
    return largest_word(from, count, magnitude);
  }
};

}  // namespace QUANTMAP_KERNEL
}  // namespace quantmap
