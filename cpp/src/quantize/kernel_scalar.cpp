// The build for every processor: one value at a time. On ARM the compiler makes NEON of it.
#define QUANTMAP_KERNEL scalar_kernel
#include <array>

#include "quantize/kernel_builds.hpp"
#include "quantize/kernel_rows.hpp"
#include "quantize/kernel_tiles.hpp"
#include "quantmap/quantize/number.hpp"

namespace quantmap {

namespace {

struct Scalar {
  using F = float;
  using I = std::int32_t;
  using M = bool;
  static constexpr std::size_t kWidth = 1;
  static constexpr bool kEveryPath = true;

  static F set(float value) { return value; }
  static I seti(std::int32_t value) { return value; }
  static I bits(F value) { return __builtin_bit_cast(std::int32_t, value); }
  static F from_bits(I value) { return __builtin_bit_cast(float, value); }
  static F load(const float* from) { return *from; }
  static F load_bfloat16(const std::uint16_t* from) { return from_bfloat16(*from); }
  static F load_half(const std::uint16_t* from) { return from_float16(*from); }
  static F half(std::uint16_t value) { return from_float16(value); }
  static F through_half(F value) { return from_float16(to_float16(value)); }
  static void store(F value, float* to) { *to = value; }
  static F add(F a, F b) { return a + b; }
  static F sub(F a, F b) { return a - b; }
  static F mul(F a, F b) { return a * b; }
  static F div(F a, F b) { return a / b; }
  static F min(F a, F b) { return a < b ? a : b; }
  static F max(F a, F b) { return a > b ? a : b; }
  static F abs(F a) { return from_bits(bits(a) & INT32_MAX); }
  static F trunc(F a) { return __builtin_truncf(a); }
  // Of a value that is clamped to a few bits.
  static F nearest(F a) {
    constexpr float kMagic = 12582912.0F;  // 1.5 · 2^23
    return (a + kMagic) - kMagic;
  }
  static I to_int(F a) { return static_cast<std::int32_t>(a); }
  static I addi(I a, I b) { return a + b; }
  static I subi(I a, I b) { return a - b; }
  static I andi(I a, I b) { return a & b; }
  static I maxi(I a, I b) { return a < b ? b : a; }
  static I absi(I a) { return a < 0 ? -a : a; }
  static I ori(I a, I b) { return a | b; }
  template <int kBits>
  static I shift_left(I a) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) << kBits);
  }
  template <int kBits>
  static I shift_right(I a) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) >> kBits);
  }
  static M less(F a, F b) { return a < b; }
  static M equal(F a, F b) { return a == b; }
  static M differ(F a, F b) { return a != b; }
  static M lessi(I a, I b) { return a < b; }
  static M not_mask(M a) { return !a; }
  static M andnot_mask(M a, M b) { return !a && b; }
  static I ones(M a) { return a ? -1 : 0; }
  static unsigned count(M a) { return a ? 1 : 0; }
  static F select(M mask, F a, F b) { return mask ? a : b; }
  static I selecti(M mask, I a, I b) { return mask ? a : b; }
  static void store_bytes(const I (&codes)[kLanes], std::uint8_t* to) {
    for (std::size_t i = 0; i < kLanes; ++i) to[i] = static_cast<std::uint8_t>(codes[i]);
  }
  template <class Word>
  static Word largest(const Word* from, std::size_t count, Word magnitude) {
    std::array<Word, kLanes> most{};
    for (std::size_t i = 0; i < count; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const auto value = static_cast<Word>(from[i + lane] & magnitude);
        most[lane] = most[lane] < value ? value : most[lane];
      }
    }
    Word out = 0;
    for (const Word value : most) out = out < value ? value : out;
    return out;
  }
};

}  // namespace

const Kernels& scalar_kernels() noexcept {
  static const Kernels kBuild{"scalar", scalar_kernel::absmax<Scalar>, scalar_kernel::scales<Scalar>,
                              scalar_kernel::encode<Scalar>};
  return kBuild;
}

}  // namespace quantmap
