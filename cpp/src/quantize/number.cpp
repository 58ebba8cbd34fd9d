#include "quantmap/quantize/number.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace quantmap {

namespace {

// A format with a sign, `exponent` and `mantissa` bits and IEEE's subnormals.
struct Format {
  int exponent;
  int mantissa;
  [[nodiscard]] constexpr int bias() const { return (1 << (exponent - 1)) - 1; }
};

constexpr Format kHalf{5, 10};
constexpr Format kE4m3Format{4, 3};
constexpr Format kE5m2Format{5, 2};
constexpr Format kE2m1Format{2, 1};

constexpr std::uint32_t kAbs = 0x7fffffff;
constexpr std::uint32_t kInfinity = 0x7f800000;

double power(int exponent) { return std::ldexp(1.0, exponent); }

// The magnitude that the bits without the sign stand for, as if there were no infinities.
double magnitude_of(std::uint32_t bits, Format format) {
  const int exponent = static_cast<int>(bits >> format.mantissa);
  const std::uint32_t fraction = bits & ((1U << format.mantissa) - 1U);
  const double unit = power((exponent == 0 ? 1 : exponent) - format.bias() - format.mantissa);
  return (exponent == 0 ? fraction : fraction + (1U << format.mantissa)) * unit;
}

// The bits nearest to a finite magnitude, ties to even; they may lie beyond the format's largest finite value.
std::uint32_t nearest_bits(double magnitude, Format format) {
  if (magnitude == 0) return 0;
  const int least = 1 - format.bias();
  const int exponent = std::max(std::ilogb(magnitude), least);
  const double steps = std::nearbyint(std::ldexp(magnitude, format.mantissa - exponent));  // exact but for the rounding
  const auto count = static_cast<std::uint32_t>(steps);
  return (static_cast<std::uint32_t>(exponent - least) << format.mantissa) + count;
}

bool is_nan(float value) { return (std::bit_cast<std::uint32_t>(value) & kAbs) > kInfinity; }
bool negative(float value) { return std::bit_cast<std::uint32_t>(value) >> 31U != 0; }

float with_sign(double magnitude, bool minus) { return static_cast<float>(minus ? -magnitude : magnitude); }

constexpr float kQuietNan = std::numeric_limits<float>::quiet_NaN();

}  // namespace

float from_bfloat16(std::uint16_t bits) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

float from_float16(std::uint16_t bits) noexcept {
  const std::uint32_t magnitude = bits & 0x7fffU;
  const bool minus = (bits & 0x8000U) != 0;
  if (magnitude >= 0x7c00U) {
    const std::uint32_t wide = kInfinity | ((magnitude & 0x3ffU) << 13U) | (magnitude > 0x7c00U ? 0x400000U : 0U);
    return std::bit_cast<float>(wide | (minus ? ~kAbs : 0U));
  }
  return with_sign(magnitude_of(magnitude, kHalf), minus);
}

float from_e4m3(std::uint8_t bits) noexcept {
  if ((bits & 0x7fU) == 0x7fU) return kQuietNan;
  return with_sign(magnitude_of(bits & 0x7fU, kE4m3Format), (bits & 0x80U) != 0);
}

float from_e5m2(std::uint8_t bits) noexcept {
  const std::uint32_t magnitude = bits & 0x7fU;
  const bool minus = (bits & 0x80U) != 0;
  if (magnitude > 0x7cU) return kQuietNan;
  if (magnitude == 0x7cU)
    return minus ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
  return with_sign(magnitude_of(magnitude, kE5m2Format), minus);
}

float from_e2m1(std::uint8_t bits) noexcept {
  return with_sign(magnitude_of(bits & 0x7U, kE2m1Format), (bits & 0x8U) != 0);
}

std::uint16_t to_bfloat16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (is_nan(value)) return static_cast<std::uint16_t>((bits >> 31U << 15U) | 0x7fc0U);
  return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U);
}

std::uint16_t to_float16(float value) noexcept {
  const std::uint32_t sign = negative(value) ? 0x8000U : 0U;
  if (is_nan(value)) return static_cast<std::uint16_t>(sign | 0x7e00U);
  if (std::isinf(value)) return static_cast<std::uint16_t>(sign | 0x7c00U);
  const std::uint32_t bits = nearest_bits(std::fabs(static_cast<double>(value)), kHalf);
  return static_cast<std::uint16_t>(sign | (bits < 0x7c00U ? bits : 0x7c00U));
}

std::uint8_t to_e4m3(float value, Overflow overflow) noexcept {
  constexpr std::uint32_t kNanBits = 0x7f;
  constexpr std::uint32_t kLargest = 0x7e;
  const std::uint32_t sign = negative(value) ? 0x80U : 0U;
  const std::uint32_t beyond = overflow == Overflow::kSaturate ? kLargest : kNanBits;
  if (is_nan(value)) return static_cast<std::uint8_t>(sign | kNanBits);
  if (std::isinf(value)) return static_cast<std::uint8_t>(sign | beyond);
  const std::uint32_t bits = nearest_bits(std::fabs(static_cast<double>(value)), kE4m3Format);
  return static_cast<std::uint8_t>(sign | (bits <= kLargest ? bits : beyond));
}

std::uint8_t to_e5m2(float value, Overflow overflow) noexcept {
  constexpr std::uint32_t kInfinityBits = 0x7c;
  constexpr std::uint32_t kLargest = 0x7b;
  const std::uint32_t sign = negative(value) ? 0x80U : 0U;
  const std::uint32_t beyond = overflow == Overflow::kSaturate ? kLargest : kInfinityBits;
  if (is_nan(value)) return static_cast<std::uint8_t>(sign | 0x7eU);
  if (std::isinf(value)) return static_cast<std::uint8_t>(sign | beyond);
  const std::uint32_t bits = nearest_bits(std::fabs(static_cast<double>(value)), kE5m2Format);
  return static_cast<std::uint8_t>(sign | (bits <= kLargest ? bits : beyond));
}

std::uint8_t to_e2m1(float value) noexcept {
  const std::uint32_t sign = negative(value) ? 0x8U : 0U;
  if (is_nan(value)) return static_cast<std::uint8_t>(sign ^ 0x8U);
  if (std::isinf(value)) return static_cast<std::uint8_t>(sign | 0x7U);
  const std::uint32_t bits = nearest_bits(std::fabs(static_cast<double>(value)), kE2m1Format);
  return static_cast<std::uint8_t>(sign | (bits < 0x7U ? bits : 0x7U));
}

}  // namespace quantmap
