// One simple command as it is written.
#pragma once

#include <string_view>
#include <vector>

#include "lexer.hpp"
#include "quantmap/shell/shell.hpp"

namespace quantmap::shell {

// Its tokens, and what joins it to the one before.
struct Simple {
  std::vector<const Token*> words;
  std::vector<const Token*> redirections;
  std::string_view before;  // the operator in front
  std::string_view behind;
};

[[nodiscard]] bool is_assignment(const RawWord& raw);

// Whether a command writes behind what stands in its file: >>, tee -a
[[nodiscard]] bool writes_behind(const Simple& simple);

// The memory that a value takes.
[[nodiscard]] std::size_t size_of(const ShellVariable& value);

[[nodiscard]] ShellVariable unknown_value();

}  // namespace quantmap::shell
