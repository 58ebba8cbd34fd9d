// Small text work: quoting for messages, nearest names, numbers as Python prints them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quantmap {

// A text in which every control, bidirectional or invisible character, and every byte that is no character, is shown
// as its escape: \x1b, \u202e, \U000e0001.
[[nodiscard]] std::string printable(std::string_view text);

// A printable text for one line of a message or log, cut after so many bytes.
[[nodiscard]] std::string one_line(std::string_view text, std::size_t bytes);

// At most so many bytes of a text, cut on a character boundary.
[[nodiscard]] std::string_view head(std::string_view text, std::size_t bytes) noexcept;

// 'text' for a message: printable, cut at 60 bytes on a character boundary.
[[nodiscard]] std::string quote(std::string_view text);

// "a, b, c"
[[nodiscard]] std::string join(std::span<const std::string_view> words, std::string_view separator = ", ");

// The candidate with the fewest edits from `word` (case and the difference of - and _ ignored), or "" when none is
// near.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// "did you mean 'x'?" or "".
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

// A finite double as Python's repr() prints it: shortest digits that read back, exponent below 1e-4 and from 1e16.
[[nodiscard]] std::string python_float(double value);

// JSON string literal; what is not ASCII is escaped, so that it survives every locale.
// YAML's double-quoted form is the same but for characters beyond 16 bits, which it does not write in two halves.
void append_json_string(std::string& out, std::string_view text, bool yaml = false);

[[nodiscard]] std::string lower(std::string_view text);
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;
[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

}  // namespace quantmap
