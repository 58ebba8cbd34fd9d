#include "simple.hpp"

#include <algorithm>

namespace quantmap::shell {

bool is_assignment(const RawWord& raw) {
  return !raw.parts.empty() && raw.parts[0].kind == PartKind::kText && !raw.parts[0].quoted &&
         !assigned_name(raw.parts[0].text).empty();
}

bool writes_behind(const Simple& simple) {
  const auto is_adding = [](const Token* token) { return token->sign == ">>" || token->word.plain() == "-a"; };
  return std::any_of(simple.redirections.begin(), simple.redirections.end(), is_adding) ||
         std::any_of(simple.words.begin(), simple.words.end(), is_adding);
}

std::size_t size_of(const ShellVariable& value) {
  std::size_t bytes = 0;
  for (const Piece& piece : value.text) bytes += piece.text.size() + sizeof(Piece);
  for (const Word& item : value.items) bytes += item.text.size() + sizeof(Word);
  return bytes;
}

ShellVariable unknown_value() {
  ShellVariable out;
  out.known = false;
  return out;
}

}  // namespace quantmap::shell
