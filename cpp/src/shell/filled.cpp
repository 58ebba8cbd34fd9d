#include "filled.hpp"

#include <algorithm>

#include "base/letters.hpp"

namespace quantmap::shell {

namespace {

constexpr std::size_t kLongestTemplate = 300;

// __NAME__ of a template, %NAME% of a batch file: where it ends, or 0.
std::size_t end_of_mark(std::string_view text, std::size_t at) {
  const std::string_view sign = text.substr(at, 1) == "%" ? "%" : "__";
  if (text.substr(at, sign.size()) != sign || (at > 0 && text[at - 1] == sign[0])) return 0;
  const std::size_t begin = at + sign.size();
  std::size_t end = begin;
  while (end < text.size() && is_name(text[end]) && text.substr(end, sign.size()) != sign) ++end;
  const bool is_word = end > begin + 1 && text[begin] >= 'A' && (text[begin] <= 'Z' || sign == "%");
  return is_word && text.substr(end, sign.size()) == sign ? end + sign.size() : 0;
}

}  // namespace

// Behind the braces that a template engine fills in, {{ ... }}, on one line; 0 when none stand here.
std::size_t end_of_template(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "{{") return 0;
  const std::string_view rest = text.substr(at, kLongestTemplate);
  const std::size_t end = rest.find("}}");
  return end < rest.find('\n') ? at + end + 2 : 0;
}

// <NAME> as documentation writes what a reader fills in: where it ends, or 0.
std::size_t end_of_placeholder(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size() || text[at] != '<' || !is_name(text[at + 1])) return 0;
  std::size_t end = at + 1;
  bool number = true;
  while (end < text.size() &&
         (is_name(text[end]) || std::string_view("-/. :|").find(text[end]) != std::string_view::npos)) {
    number = number && is_digit(text[end]);
    ++end;
  }
  return end < text.size() && text[end] == '>' && !is_blank(text[end - 1]) && !number ? end + 1 : 0;
}

// {name} as a format string of Python has it, and {a name} as documentation does.
std::size_t end_of_field(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size() || text[at] != '{' || is_digit(text[at + 1]) || !is_name(text[at + 1])) return 0;
  std::size_t end = at + 1;
  while (end < text.size() &&
         (is_name(text[end]) || std::string_view(". -").find(text[end]) != std::string_view::npos)) {
    ++end;
  }
  return end < text.size() && text[end] == '}' ? end + 1 : 0;
}

// What others than a shell fill in, between signs: where it ends, or 0.
std::size_t end_of_filled(std::string_view text, std::size_t at) {
  std::size_t end = end_of_placeholder(text, at);
  if (end == 0) end = end_of_mark(text, at);
  return end;
}

}  // namespace quantmap::shell
