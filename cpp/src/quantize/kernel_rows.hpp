// The text of the kernels. `V` is a processor's registers: V::F holds V::kWidth floats, V::I as many 32-bit integers.
//
// Each build includes this header once, with its own V and its own compiler flags; everything here is in a namespace of
// that build, so that no function of one build is taken for that of another. For the same reason no function of the
// standard library is called.
#pragma once

#include <type_traits>

#include "quantize/kernel.hpp"

namespace quantmap {
namespace QUANTMAP_KERNEL {

// A floating-point format of at most eight bits: how far its mantissa stands from a float's, and its subnormals.
template <int Shift, int Bias, int MagicExponent>
struct Small {
  static constexpr int kShift = Shift;
  static constexpr std::int32_t kRebias = (127 - Bias) << (23 - Shift);
  static constexpr std::int32_t kLeastNormal = (128 - Bias) << 23;       // as the bits of a float
  static constexpr std::int32_t kMagic = (127 + MagicExponent) << 23;    // its last bit is the subnormals' step
  static constexpr std::int32_t kPerStep = (150 - MagicExponent) << 23;  // one over that step
};
using E4m3 = Small<20, 7, 14>;
using E5m2 = Small<21, 15, 7>;
using E2m1 = Small<22, 1, 22>;

template <class V>
struct Coded {
  typename V::F value;  // what the code stands for
  typename V::I code;   // without the sign
};

inline constexpr std::size_t kFold = 4096;  // columns after which the sums become doubles

// To the nearest, halves to the even code. Adding one and a half of the number whose last bit is worth a step of the
// value's own binade rounds it; what was added to that number counts the steps.
template <class V, class Format>
Coded<V> round_even(typename V::F value) {
  using F = typename V::F;
  using I = typename V::I;
  constexpr std::int32_t kHalfMore = 0x400000;
  constexpr std::int32_t kUp = (Format::kShift << 23) + kHalfMore;
  const I binade = V::andi(V::bits(value), V::seti(0x7f800000));
  const I shifter = V::maxi(V::addi(binade, V::seti(kUp)), V::seti(Format::kMagic + kHalfMore));
  const F sum = V::add(value, V::from_bits(shifter));
  const I steps = V::absi(V::subi(V::bits(sum), shifter));
  // The shifter's exponent stands where the code's does, and a full mantissa of steps is in it already.
  constexpr std::int32_t kBase = ((Format::kMagic + kHalfMore) >> Format::kShift);
  const I base = V::subi(V::template shift_right<Format::kShift>(shifter), V::seti(kBase));
  return {V::sub(sum, V::from_bits(shifter)), V::addi(base, steps)};
}

// To the nearest, halves in one direction, of a magnitude.
template <class V, class Format>
Coded<V> round_one_way(typename V::F magnitude, Rounding rounding) {
  using F = typename V::F;
  using I = typename V::I;
  using M = typename V::M;
  const I bits = V::bits(magnitude);
  // The subnormals' steps are counted as whole numbers.
  const F all = V::mul(magnitude, V::from_bits(V::seti(Format::kPerStep)));
  const F steps = V::min(all, V::set(1048576.0F));  // of what is no subnormal nothing is asked
  const F down = V::trunc(steps);
  const F rest = V::sub(steps, down);
  const F half = V::set(0.5F);
  const bool away = rounding == Rounding::kAway;
  const M up = away ? V::not_mask(V::less(rest, half)) : V::less(half, rest);
  const F magic = V::from_bits(V::seti(Format::kMagic));
  const F step = V::from_bits(V::addi(V::seti(Format::kMagic), V::subi(V::to_int(down), V::ones(up))));
  const I carry = V::seti((1 << (Format::kShift - 1)) - (away ? 0 : 1));
  const I rounded = V::addi(bits, carry);
  const M small = V::lessi(bits, V::seti(Format::kLeastNormal));
  const I normal_code = V::subi(V::template shift_right<Format::kShift>(rounded), V::seti(Format::kRebias));
  const I small_code = V::subi(V::bits(step), V::seti(Format::kMagic));
  const I cleared = V::andi(rounded, V::seti(~((1 << Format::kShift) - 1)));
  return {V::select(small, V::sub(step, magic), V::from_bits(cleared)), V::selecti(small, small_code, normal_code)};
}

template <class V>
typename V::F round_whole(typename V::F value, Rounding rounding) {
  using F = typename V::F;
  if (rounding == Rounding::kEven) return V::nearest(value);
  const F down = V::trunc(value);
  if (rounding != Rounding::kAway) return down;
  const F rest = V::sub(value, down);
  const F half = V::set(0.5F);
  const F sign = V::from_bits(V::andi(V::bits(value), V::seti(INT32_MIN)));
  const F one = V::from_bits(V::ori(V::bits(V::set(1.0F)), V::bits(sign)));
  const typename V::F far = V::abs(rest);
  return V::select(V::less(far, half), down, V::add(down, one));
}

template <class V>
typename V::F rounded_to(typename V::F value, Stored type) {
  using I = typename V::I;
  if (type == Stored::kFloat) return value;
  if (type == Stored::kHalf) return V::through_half(value);
  const I bits = V::bits(value);
  const I odd = V::andi(V::template shift_right<16>(bits), V::seti(1));
  const I sum = V::addi(V::addi(bits, V::seti(0x7fff)), odd);
  return V::from_bits(V::andi(sum, V::seti(~0xffff)));
}

template <class V>
typename V::F flushed(typename V::F value) {
  const typename V::M tiny = V::less(V::abs(value), V::from_bits(V::seti(0x00800000)));
  return V::select(tiny, V::from_bits(V::andi(V::bits(value), V::seti(INT32_MIN))), value);
}

// The sums of a row: sixteen of each, in the registers of one build.
template <class V>
struct Sums {
  static constexpr std::size_t kParts = kLanes / V::kWidth;
  typename V::F signal[kParts];
  typename V::F noise[kParts];
  typename V::F dot[kParts];
  std::uint64_t created = 0;
  std::uint64_t clipped = 0;

  void clear() {
    for (std::size_t part = 0; part < kParts; ++part) signal[part] = noise[part] = dot[part] = V::set(0);
    created = clipped = 0;
  }
  void add_to(RowSums& out) const {
    float floats[3][kLanes];
    for (std::size_t part = 0; part < kParts; ++part) {
      V::store(signal[part], floats[0] + part * V::kWidth);
      V::store(noise[part], floats[1] + part * V::kWidth);
      V::store(dot[part], floats[2] + part * V::kWidth);
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      out.signal += static_cast<double>(floats[0][lane]);
      out.noise += static_cast<double>(floats[1][lane]);
      out.dot += static_cast<double>(floats[2][lane]);
    }
    out.created += created;
    out.clipped += clipped;
  }
};

template <class V>
struct Tile {
  typename V::F factor;
  typename V::F scale;
  typename V::F zero;
};

// What is known of an encoding when the loop is compiled. The first two: a product, nothing rounded on the way, no zero
// point.
enum class Path : std::uint8_t { kEven, kTruncate, kAny };

template <class V, Element kElement, Path kPath>
typename V::I encode_part(typename V::F value, const Tile<V>& tile, const Encoding& how, bool zeros, Sums<V>& sums,
                          std::size_t part) {
  using F = typename V::F;
  using I = typename V::I;
  constexpr bool kPlain = kPath != Path::kAny;
  F scaled;
  if constexpr (kPlain) {
    scaled = V::mul(value, tile.factor);
  } else {
    const F from = how.flush ? flushed<V>(value) : value;
    scaled = how.divide ? V::div(from, tile.factor) : V::mul(from, tile.factor);
    if (how.flush) scaled = flushed<V>(scaled);
    scaled = rounded_to<V>(scaled, how.round_to);
    if (zeros) scaled = rounded_to<V>(V::add(scaled, tile.zero), how.round_to);
  }
  const F clamped = V::min(V::max(scaled, V::set(how.low)), V::set(how.high));
  F level;
  I code;
  if constexpr (kElement == Element::kInt8 || kElement == Element::kInt4) {
    constexpr Rounding kRounding = kPath == Path::kEven ? Rounding::kEven : Rounding::kTruncate;
    level = round_whole<V>(clamped, kPlain ? kRounding : how.rounding);
    code = V::to_int(level);
    if constexpr (!kPlain) {
      if (zeros) level = V::sub(level, tile.zero);
    }
  } else {
    using Format = std::conditional_t<kElement == Element::kE4m3, E4m3,
                                      std::conditional_t<kElement == Element::kE5m2, E5m2, E2m1>>;
    constexpr int kSignShift = kElement == Element::kE2m1 ? 28 : 24;
    const I sign = V::andi(V::bits(clamped), V::seti(INT32_MIN));
    Coded<V> coded;
    if (kPath == Path::kEven || how.rounding == Rounding::kEven) {
      coded = round_even<V, Format>(clamped);
      level = coded.value;
    } else {
      coded = round_one_way<V, Format>(V::abs(clamped), how.rounding);
      level = V::from_bits(V::ori(V::bits(coded.value), sign));
    }
    code = V::ori(coded.code, V::template shift_right<kSignShift>(sign));
  }
  const F back = V::mul(level, tile.scale);
  const F error = V::sub(value, back);
  sums.signal[part] = V::add(sums.signal[part], V::mul(value, value));
  sums.noise[part] = V::add(sums.noise[part], V::mul(error, error));
  sums.dot[part] = V::add(sums.dot[part], V::mul(value, back));
  sums.created += V::count(V::andnot_mask(V::equal(value, V::set(0)), V::equal(level, V::set(0))));
  sums.clipped += V::count(V::differ(scaled, clamped));
  return code;
}

template <class V, Stored kType>
typename V::F load(const void* values, std::size_t index) {
  if constexpr (kType == Stored::kBfloat16) {
    return V::load_bfloat16(static_cast<const std::uint16_t*>(values) + index);
  } else if constexpr (kType == Stored::kHalf) {
    return V::load_half(static_cast<const std::uint16_t*>(values) + index);
  } else {
    return V::load(static_cast<const float*>(values) + index);
  }
}

template <class V, Stored kType, Element kElement, Path kPath>
void encode_sixteen(const void* values, std::size_t at, const Tile<V>& tile, const Encoding& how, bool zeros,
                    Sums<V>& sums, std::uint8_t* codes) {
  typename V::I out[Sums<V>::kParts];
  for (std::size_t part = 0; part < Sums<V>::kParts; ++part) {
    const typename V::F value = load<V, kType>(values, at + part * V::kWidth);
    out[part] = encode_part<V, kElement, kPath>(value, tile, how, zeros, sums, part);
  }
  V::store_bytes(out, codes);
}

template <class V, Stored kType, Element kElement, Path kPath>
void encode_span(const Encoding& how, const RowSpan& span, RowSums& out) {
  constexpr std::size_t kSize = kType == Stored::kFloat ? 4 : 2;
  const bool zeros = span.zero != nullptr;
  const auto* values = static_cast<const unsigned char*>(span.values);
  Sums<V> sums;
  sums.clear();
  std::size_t since = 0;
  for (std::size_t begin = 0, index = 0; begin < span.count; begin += span.tile, ++index) {
    const std::size_t end = span.count - begin < span.tile ? span.count : begin + span.tile;
    const Tile<V> tile{V::set(span.factor[index]), V::set(span.scale[index]), V::set(zeros ? span.zero[index] : 0.0F)};
    std::size_t at = begin;
    for (; at + kLanes <= end; at += kLanes) {
      if (at % (64 / kSize) == 0) __builtin_prefetch(values + (span.count + at) * kSize);  // the next row
      encode_sixteen<V, kType, kElement, kPath>(span.values, at, tile, how, zeros, sums, span.codes + at);
      since += kLanes;
      if (since == kFold) {
        sums.add_to(out);
        sums.clear();
        since = 0;
      }
    }
    if (at < end) {  // what is left over stands between zeros, which add nothing
      unsigned char rest[kLanes * 4] = {};
      std::uint8_t codes[kLanes];
      __builtin_memcpy(rest, values + at * kSize, (end - at) * kSize);
      Sums<V> last;
      last.clear();
      encode_sixteen<V, kType, kElement, kPath>(rest, 0, tile, how, zeros, last, codes);
      last.add_to(out);
      __builtin_memcpy(span.codes + at, codes, end - at);
    }
  }
  sums.add_to(out);
}

template <class V, Stored kType, Element kElement>
void encode_element(const Encoding& how, const RowSpan& span, RowSums& sums) {
  constexpr bool kWhole = kElement == Element::kInt8;
  const bool plain = !how.divide && how.round_to == Stored::kFloat && !how.flush && span.zero == nullptr;
  if constexpr (V::kEveryPath || kElement == Element::kE5m2) {
    if (plain && how.rounding == Rounding::kEven) return encode_span<V, kType, kElement, Path::kEven>(how, span, sums);
  }
  if constexpr (V::kEveryPath && kWhole) {
    if (plain && how.rounding == Rounding::kTruncate) {
      return encode_span<V, kType, kElement, Path::kTruncate>(how, span, sums);
    }
  }
  encode_span<V, kType, kElement, Path::kAny>(how, span, sums);
}

template <class V, Stored kType>
void encode_type(const Encoding& how, const RowSpan& span, RowSums& sums) {
  switch (how.element) {
    case Element::kInt8:
    case Element::kInt4: return encode_element<V, kType, Element::kInt8>(how, span, sums);
    case Element::kE4m3: return encode_element<V, kType, Element::kE4m3>(how, span, sums);
    case Element::kE5m2: return encode_element<V, kType, Element::kE5m2>(how, span, sums);
    case Element::kE2m1: return encode_element<V, kType, Element::kE2m1>(how, span, sums);
  }
}

template <class V>
void encode(const Encoding& how, const RowSpan& span, RowSums& sums) {
  switch (span.type) {
    case Stored::kBfloat16: return encode_type<V, Stored::kBfloat16>(how, span, sums);
    case Stored::kHalf: return encode_type<V, Stored::kHalf>(how, span, sums);
    case Stored::kFloat: return encode_type<V, Stored::kFloat>(how, span, sums);
  }
}

// Magnitudes compare as integers, so a NaN is larger than everything.
template <class V, class Word>
Word largest(const Word* values, std::size_t count, Word magnitude) {
  Word out = V::largest(values, count - count % kLanes, magnitude);
  for (std::size_t i = count - count % kLanes; i < count; ++i) {
    const auto value = static_cast<Word>(values[i] & magnitude);
    out = out < value ? value : out;
  }
  return out;
}

// Of two that are not negative; a NaN is larger than everything.
inline float larger(float a, float b) {
  return __builtin_bit_cast(std::uint32_t, a) < __builtin_bit_cast(std::uint32_t, b) ? b : a;
}

template <class V>
float absmax_of(const void* values, Stored type, std::size_t begin, std::size_t count) {
  if (type == Stored::kFloat) {
    const auto* from = static_cast<const std::uint32_t*>(values) + begin;
    return __builtin_bit_cast(float, largest<V, std::uint32_t>(from, count, 0x7fffffffU));
  }
  const auto* from = static_cast<const std::uint16_t*>(values) + begin;
  const std::uint16_t bits = largest<V, std::uint16_t>(from, count, 0x7fffU);
  return type == Stored::kBfloat16 ? __builtin_bit_cast(float, static_cast<std::uint32_t>(bits) << 16U) : V::half(bits);
}

template <class V>
float absmax(const void* values, Stored type, std::size_t count, std::size_t tile, float* out) {
  float all = 0;
  for (std::size_t begin = 0; begin < count; begin += tile, ++out) {
    *out = absmax_of<V>(values, type, begin, count - begin < tile ? count - begin : tile);
    all = larger(all, *out);
  }
  return all;
}

}  // namespace QUANTMAP_KERNEL
}  // namespace quantmap
