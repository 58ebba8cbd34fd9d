// What the parser of a release makes of a flag's value.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/catalog/catalog.hpp"

namespace quantmap {

struct ValueProblem {
  std::string reason;  // follows the release's name: "expects an integer"
  std::string hint;
  bool at_start = false;  // the parser takes it, start-up does not
  bool assumed = false;   // it is not certain for this release
};

// What is wrong with a value that is no list of choices; nothing when it is taken as far as its text tells.
[[nodiscard]] std::optional<ValueProblem> value_problem(const FlagInterval& flag, std::string_view value);

// What is wrong with a key of a JSON flag that is written behind a dot.
[[nodiscard]] std::optional<ValueProblem> key_problem(const FlagInterval& flag, std::string_view key);

// The words of a list, as a line gives them: with spaces between.
[[nodiscard]] std::vector<std::string_view> words_of(std::string_view value);

// "None" and the empty text mean that nothing is set, where the parser says so.
[[nodiscard]] bool means_none(const FlagInterval& flag, std::string_view value) noexcept;

}  // namespace quantmap
