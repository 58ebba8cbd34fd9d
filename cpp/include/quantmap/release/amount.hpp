// Numbers as the engines' own parsers read them: with a unit of their magnitude.
#pragma once

#include <optional>
#include <string_view>

namespace quantmap {

inline constexpr double kMostAmount = 1e15;  // no count or size is larger

// "32768", "32k" (thousands), "32K" (1,024), "1.5M", "2GiB"; nothing when it is no number.
[[nodiscard]] std::optional<double> read_amount(std::string_view text);

}  // namespace quantmap
