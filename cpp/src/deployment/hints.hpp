// What to write instead, and since when a variable counts: the words of verdicts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "quantmap/release/argument_schema.hpp"

namespace quantmap {

// "use --flag"; what says by itself what to do stays as it is.
[[nodiscard]] std::string with_verb(std::string_view use);

// What says the same as a switch with a word behind it.
[[nodiscard]] std::string switch_alone(const ArgumentSchema& surface, const std::string& flag, std::string_view value,
                                       ReleaseNumber release);

// What the documented table says to write instead of an argument, or of one value of it, that was never accepted.
[[nodiscard]] std::string_view instead_of(const Engine& engine, std::string_view flag,
                                          std::optional<std::string_view> value);

// The name by which a release reads a variable of an old prefix; empty when it does not.
[[nodiscard]] std::string new_variable_name(const Engine& engine, std::string_view name, ReleaseNumber release);

// "; 0.5.19 was the last to do so", " (added in 0.6.0)", or "": of a variable that the release does not read.
[[nodiscard]] std::string variable_history(const ArgumentSchema& surface, std::string_view name, ReleaseNumber release);

}  // namespace quantmap
