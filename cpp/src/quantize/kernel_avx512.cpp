// The build for AVX-512 (F, BW, DQ, VL); compiled with flags of its own and called after a look at the processor. Rows
// that can go the quick way go it eight values at a time: it is half again as fast as the plain way with sixteen. Of
// bfloat16, which most weights are, with the registers and instructions that AVX-512 adds; of other types as AVX2 does,
// for each way costs an installation a tenth of a second, and that is slower by a tenth.
#if defined(__x86_64__)
#define QUANTMAP_KERNEL avx512_kernel
#include <immintrin.h>

#include "quantize/kernel_builds.hpp"
#include "quantize/kernel_eight.hpp"
#include "quantize/kernel_quick.hpp"
#include "quantize/kernel_rows.hpp"
#include "quantize/kernel_tiles.hpp"
#include "quantize/kernel_x86.hpp"

namespace quantmap {

namespace {

struct Avx512 {
  using F = __m512;
  using I = __m512i;
  using M = __mmask16;
  static constexpr std::size_t kWidth = 16;
  static constexpr bool kEveryPath = false;  // what goes a path of its own goes the quick way here

  static F set(float value) { return _mm512_set1_ps(value); }
  static I seti(std::int32_t value) { return _mm512_set1_epi32(value); }
  static I bits(F value) { return _mm512_castps_si512(value); }
  static F from_bits(I value) { return _mm512_castsi512_ps(value); }
  static F load(const float* from) { return _mm512_loadu_ps(from); }
  static F load_bfloat16(const std::uint16_t* from) {
    return from_bits(_mm512_slli_epi32(_mm512_cvtepu16_epi32(avx512_kernel::load256(from)), 16));
  }
  static F load_half(const std::uint16_t* from) { return _mm512_cvtph_ps(avx512_kernel::load256(from)); }
  static float half(std::uint16_t value) { return avx512_kernel::from_half(value); }
  static F through_half(F value) { return _mm512_cvtph_ps(_mm512_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT)); }
  static void store(F value, float* to) { _mm512_storeu_ps(to, value); }
  static F add(F a, F b) { return _mm512_add_ps(a, b); }
  static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static F div(F a, F b) { return _mm512_div_ps(a, b); }
  static F min(F a, F b) { return _mm512_min_ps(a, b); }
  static F max(F a, F b) { return _mm512_max_ps(a, b); }
  static F abs(F a) { return from_bits(_mm512_and_si512(bits(a), seti(INT32_MAX))); }
  static F trunc(F a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
  static F nearest(F a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static I to_int(F a) { return _mm512_cvttps_epi32(a); }
  static I addi(I a, I b) { return _mm512_add_epi32(a, b); }
  static I subi(I a, I b) { return _mm512_sub_epi32(a, b); }
  static I andi(I a, I b) { return _mm512_and_si512(a, b); }
  static I maxi(I a, I b) { return _mm512_max_epi32(a, b); }
  static I absi(I a) { return _mm512_abs_epi32(a); }
  static I ori(I a, I b) { return _mm512_or_si512(a, b); }
  template <int kBits>
  static I shift_left(I a) {
    return _mm512_slli_epi32(a, kBits);
  }
  template <int kBits>
  static I shift_right(I a) {
    return _mm512_srli_epi32(a, kBits);
  }
  static M less(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static M equal(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
  static M differ(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); }
  static M lessi(I a, I b) { return _mm512_cmplt_epi32_mask(a, b); }
  static M not_mask(M a) { return _knot_mask16(a); }
  static M andnot_mask(M a, M b) { return _kandn_mask16(a, b); }
  static I ones(M a) { return _mm512_movm_epi32(a); }
  static unsigned count(M a) { return static_cast<unsigned>(__builtin_popcount(a)); }
  static F select(M mask, F a, F b) { return _mm512_mask_blend_ps(mask, b, a); }
  static I selecti(M mask, I a, I b) { return _mm512_mask_blend_epi32(mask, b, a); }
  static void store_bytes(const I (&codes)[1], std::uint8_t* to) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(codes[0]));
  }
  template <class Word>
  static Word largest(const Word* from, std::size_t count, Word magnitude) {
    return avx512_kernel::largest_word(from, count, magnitude);
  }
};

void encode(const Encoding& how, const RowSpan& span, RowSums& out) {
  using avx512_kernel::Eight;
  if (span.type == Stored::kBfloat16 && avx512_kernel::is_quick(how, span)) {
    return avx512_kernel::quick_type<Eight, Stored::kBfloat16>(how, span, out);
  }
  if (!encode_in_avx2(how, span, out)) avx512_kernel::encode<Avx512>(how, span, out);
}

}  // namespace

const Kernels& avx512_kernels() noexcept {
  static const Kernels kBuild{"avx512", avx512_kernel::absmax_quickly<Avx512>, avx512_kernel::scales<Avx512>, encode};
  return kBuild;
}

}  // namespace quantmap
#endif
