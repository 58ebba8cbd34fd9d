// Small number formats, one value at a time: exact, and slow on purpose. The kernels are held against them.
#pragma once

#include <cstdint>

namespace quantmap {

// What a value beyond the largest finite one becomes.
enum class Overflow : std::uint8_t { kSaturate, kNan };

[[nodiscard]] float from_bfloat16(std::uint16_t bits) noexcept;
[[nodiscard]] float from_float16(std::uint16_t bits) noexcept;
[[nodiscard]] float from_e4m3(std::uint8_t bits) noexcept;
[[nodiscard]] float from_e5m2(std::uint8_t bits) noexcept;
[[nodiscard]] float from_e2m1(std::uint8_t bits) noexcept;  // the low four bits

// To the nearest, ties to the even code.
[[nodiscard]] std::uint16_t to_bfloat16(float value) noexcept;
[[nodiscard]] std::uint16_t to_float16(float value) noexcept;
// e4m3fn has no infinity: `kNan` makes NaN of what rounds beyond 448, `kSaturate` makes it 448 (also infinities).
[[nodiscard]] std::uint8_t to_e4m3(float value, Overflow overflow) noexcept;
// e5m2 has infinities: `kNan` keeps them and rounds to them, `kSaturate` stops at 57344.
[[nodiscard]] std::uint8_t to_e5m2(float value, Overflow overflow) noexcept;
// Saturates at 6; NaN is -0 and a negative NaN 0, as ml_dtypes has it.
[[nodiscard]] std::uint8_t to_e2m1(float value) noexcept;

}  // namespace quantmap
