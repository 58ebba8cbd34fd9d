// The build for AVX2 with F16C; compiled with flags of its own (CMakeLists.txt) and called after a look at the
// processor.
#if defined(__x86_64__)
#define QUANTMAP_KERNEL avx2_kernel
#include <immintrin.h>

#include "quantize/kernel_builds.hpp"
#include "quantize/kernel_rows.hpp"

namespace quantmap {

namespace {

struct Avx2 {
  using F = __m256;
  using I = __m256i;
  static constexpr std::size_t kWidth = 8;

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
  static float half(std::uint16_t value) { return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(value))); }
  static F through_half(F value) { return _mm256_cvtph_ps(_mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT)); }
  static void store(F value, float* to) { _mm256_storeu_ps(to, value); }
  static void storei(I value, std::int32_t* to) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value); }
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
  static I andnoti(I a, I b) { return _mm256_andnot_si256(a, b); }
  static I ori(I a, I b) { return _mm256_or_si256(a, b); }
  template <int kBits>
  static I shift_right(I a) {
    return _mm256_srli_epi32(a, kBits);
  }
  static I less(F a, F b) { return bits(_mm256_cmp_ps(a, b, _CMP_LT_OQ)); }
  static I equal(F a, F b) { return bits(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)); }
  static I differ(F a, F b) { return bits(_mm256_cmp_ps(a, b, _CMP_NEQ_UQ)); }
  static I lessi(I a, I b) { return _mm256_cmpgt_epi32(b, a); }
  static F select(I mask, F a, F b) { return _mm256_blendv_ps(b, a, from_bits(mask)); }
  static I selecti(I mask, I a, I b) { return _mm256_blendv_epi8(b, a, mask); }
  static void store_bytes(const I (&codes)[2], std::uint8_t* to) {
    const I words = _mm256_permute4x64_epi64(_mm256_packs_epi32(codes[0], codes[1]), 0xd8);
    const I low = _mm256_and_si256(words, _mm256_set1_epi16(0xff));
    const __m128i out = _mm_packus_epi16(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), out);
  }
  static I load256(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
  template <class Word>
  static Word largest(const Word* from, std::size_t count, Word magnitude) {
    if constexpr (sizeof(Word) == 2) {
      const I mask = _mm256_set1_epi16(static_cast<short>(magnitude));
      I most[4] = {seti(0), seti(0), seti(0), seti(0)};
      std::size_t i = 0;
      for (; i + 64 <= count; i += 64) {
        for (std::size_t k = 0; k < 4; ++k) {
          most[k] = _mm256_max_epu16(most[k], _mm256_and_si256(load256(from + i + 16 * k), mask));
        }
      }
      for (; i < count; i += 16) most[0] = _mm256_max_epu16(most[0], _mm256_and_si256(load256(from + i), mask));
      const I all = _mm256_max_epu16(_mm256_max_epu16(most[0], most[1]), _mm256_max_epu16(most[2], most[3]));
      const __m128i eight = _mm_max_epu16(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
      const __m128i least = _mm_minpos_epu16(_mm_xor_si128(eight, _mm_set1_epi16(-1)));
      return static_cast<Word>(~_mm_cvtsi128_si32(least));
    } else {
      const I mask = seti(static_cast<std::int32_t>(magnitude));
      I most = seti(0);
      for (std::size_t i = 0; i < count; i += 8)
        most = _mm256_max_epu32(most, _mm256_and_si256(load256(from + i), mask));
      alignas(32) Word words[8];
      _mm256_store_si256(reinterpret_cast<__m256i*>(words), most);
      Word out = 0;
      for (const Word word : words) out = out < word ? word : out;
      return out;
    }
  }
};

}  // namespace

const Kernels& avx2_kernels() noexcept {
  static const Kernels kBuild{"avx2", avx2_kernel::absmax<Avx2>, avx2_kernel::encode<Avx2>};
  return kBuild;
}

}  // namespace quantmap
#endif
