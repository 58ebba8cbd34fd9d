// Items of arrays by their keys, and the values that a loop gives its variable.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lexer.hpp"
#include "quantmap/shell/shell.hpp"

namespace quantmap::shell {

// Most launches that are read again for the values of loops, in one script.
inline constexpr std::size_t kMostTurns = 64;

// The item of an array with this key, as text; false when the script does not tell.
[[nodiscard]] bool take_item(const ShellVariable& array, std::string_view key, std::vector<Piece>& made);

// The name in NAME[KEY]=value, and how much of the first part stands in front of the value; 0 when the key is open. An
// empty name when the word is something else.
[[nodiscard]] std::pair<std::string, std::size_t> assigned_item(const RawWord& raw);

// What a loop gives its variable, where all of it is known.
void add_turns(const std::vector<Word>& items, ShellVariable& value);

// The first variable among the words of a command that a loop gives each of some values; empty when there is none.
[[nodiscard]] std::string turning_name(const std::vector<const Token*>& words, const ShellVariables& variables);

}  // namespace quantmap::shell
