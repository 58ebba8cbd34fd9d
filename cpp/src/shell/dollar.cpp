// What stands behind a dollar sign, and between backquotes.
#include <algorithm>

#include "base/letters.hpp"
#include "lexer.hpp"

namespace quantmap::shell {

namespace {

// Behind $NAME, $1 and their kin, and $env:NAME of PowerShell.
std::size_t end_of_name(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  if (end < text.size() && std::string_view("@*#?$!-0123456789").find(text[end]) != std::string_view::npos) {
    return end + 1;
  }
  while (end < text.size() && is_name(text[end])) ++end;
  if (text.substr(at, end - at) != "$env" || text.substr(end, 1) != ":") return end;
  ++end;
  while (end < text.size() && is_name(text[end])) ++end;
  return end;
}

Part unknown(std::string_view source, bool quoted) {
  Part part;
  part.kind = PartKind::kUnknown;
  part.quoted = quoted;
  part.text = source;
  part.source = source;
  return part;
}

Part literal(std::string_view text, bool quoted) {
  Part part;
  part.quoted = quoted;
  part.text = text;
  return part;
}

Part parameter(std::string_view name, std::string_view source, bool quoted) {
  Part part;
  part.kind = PartKind::kParameter;
  part.quoted = quoted;
  part.text = name;
  part.source = source;
  part.list = name == "@";
  return part;
}

// The key of one item of an array, where it is written out.
void read_index(std::string_view& rest, Part& part) {
  if (part.list || rest.size() < 3 || rest.front() != '[' || rest.back() != ']') return;
  std::string_view key = rest.substr(1, rest.size() - 2);
  if (key.size() > 2 && (key.front() == '"' || key.front() == '\'') && key.back() == key.front()) {
    key = key.substr(1, key.size() - 2);
  }
  if (key.find_first_of("$`[]()\"'+*") != std::string_view::npos) return;
  part.index = key;
  rest = {};
}

// What follows the name: another word to use, as in ${NAME:-word}.
void read_use(std::string_view& rest, Part& part) {
  const auto is_use = [](char c) { return std::string_view("-+=?").find(c) != std::string_view::npos; };
  if (part.text.empty() || rest.empty()) return;
  const std::size_t at = rest.size() > 1 && rest[0] == ':' ? 1 : 0;
  if (!is_use(rest[at])) return;
  part.use = rest[at];
  part.other = rest.substr(at + 1);
  rest = {};
}

}  // namespace

// Behind the sign that closes a group, quotes and groups inside it passed over; the end of the text when none does.
std::size_t Lexer::end_of_group(std::size_t from, char open, char close) const {
  std::size_t depth = 1;
  char quote = 0;
  for (std::size_t i = from; i < text_.size(); ++i) {
    const char c = text_[i];
    if (c == '\\' && quote != '\'') {
      ++i;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == open) {
      ++depth;
    } else if (c == close && --depth == 0) {
      return i + 1;
    }
  }
  return text_.size();
}

bool Lexer::read_backquote(RawWord& word, bool quoted) {
  std::size_t end = at_ + 1;
  while (end < text_.size() && text_[end] != '`') end += text_[end] == '\\' ? 2U : 1U;
  if (end >= text_.size()) {
    fail(at_, "this backquote is never closed");
    return false;
  }
  word.parts.push_back(unknown(text_.substr(at_, end + 1 - at_), quoted));
  skip(end + 1 - at_);
  return true;
}

bool Lexer::read_dollar(RawWord& word, bool quoted) {
  const char next = peek(1);
  if (next == '(') {
    const std::size_t end = end_of_group(at_ + 2, '(', ')');
    if (text_[end - 1] != ')') {
      fail(at_, "this substitution is never closed");
      return false;
    }
    word.parts.push_back(unknown(text_.substr(at_, end - at_), quoted));
    skip(end - at_);
    return true;
  }
  if (next == '{') return read_braces(word, quoted);
  if (next == '\'' && !quoted) {
    read_ansi_quotes(word);
    return true;
  }
  if (next == '"' && !quoted) {
    ++at_;
    return read_double_quotes(word);
  }
  const std::size_t end = end_of_name(text_, at_);
  if (end == at_ + 1) {
    word.parts.push_back(literal("$", quoted));
  } else {
    const std::string_view source = text_.substr(at_, end - at_);
    word.parts.push_back(parameter(source.substr(1), source, quoted));
  }
  skip(end - at_);
  return true;
}

bool Lexer::read_braces(RawWord& word, bool quoted) {
  const std::size_t end = end_of_group(at_ + 2, '{', '}');
  if (text_[end - 1] != '}') {
    fail(at_, "this brace is never closed");
    return false;
  }
  const std::string_view source = text_.substr(at_, end - at_);
  std::string_view inside = source.substr(2, source.size() - 3);
  std::size_t size = 0;
  while (size < inside.size() && is_name(inside[size])) ++size;
  if (size == 0 && !inside.empty() && (inside[0] == '@' || inside[0] == '*')) size = 1;
  Part part = parameter(inside.substr(0, size), source, quoted);
  std::string_view rest = inside.substr(size);
  if (rest.substr(0, 3) == "[@]" || rest.substr(0, 3) == "[*]") {
    part.list = true;
    rest.remove_prefix(3);
  }
  read_index(rest, part);
  read_use(rest, part);
  if (!rest.empty() || size == 0) {
    const bool list = part.list || inside.find("[@]") != std::string_view::npos;  // some of the items
    part = unknown(source, quoted);
    part.list = list;
  }
  word.parts.push_back(std::move(part));
  skip(end - at_);
  return true;
}

// $'...': the escapes that paths and JSON need.
void Lexer::read_ansi_quotes(RawWord& word) {
  std::size_t i = at_ + 2;
  std::string text;
  while (i < text_.size() && text_[i] != '\'') {
    if (text_[i] == '\\' && i + 1 < text_.size()) {
      const char c = text_[i + 1];
      constexpr std::string_view kLetters = "ntr";
      const std::size_t letter = kLetters.find(c);
      text += letter == std::string_view::npos ? c : std::string_view("\n\t\r")[letter];
      i += 2;
    } else {
      text += text_[i++];
    }
  }
  word.parts.push_back(literal(text, true));
  skip(std::min(i + 1, text_.size()) - at_);
}

}  // namespace quantmap::shell
