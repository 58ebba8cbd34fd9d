// Kinds of ASCII characters, the same in every locale.
#pragma once

#include <string_view>

namespace quantmap {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r'; }
constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
constexpr bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || is_upper(c); }
constexpr bool is_alnum(char c) noexcept { return is_letter(c) || is_digit(c); }
constexpr bool is_name(char c) noexcept { return is_alnum(c) || c == '_'; }

// A letter, a digit, or one of the signs.
constexpr bool is_alnum_or(char c, std::string_view signs) noexcept {
  return is_alnum(c) || signs.find(c) != std::string_view::npos;
}

}  // namespace quantmap
