#include "printed_signs.hpp"

namespace quantmap {

namespace {

struct PrintedSign {
  std::string_view sign;
  std::string_view plain;
  std::string_view why;
};

constexpr std::string_view kCurlyQuotes = "curly quotes are letters to a shell: they are part of the word";
constexpr std::string_view kHardBlank = "it holds a non-breaking space, at which a shell parts no words";
constexpr PrintedSign kPrintedSigns[] = {
    {"\xE2\x80\x9C", "\"", kCurlyQuotes}, {"\xE2\x80\x9D", "\"", kCurlyQuotes}, {"\xE2\x80\x98", "'", kCurlyQuotes},
    {"\xE2\x80\x99", "'", kCurlyQuotes},  {"\xC2\xA0", " ", kHardBlank},        {"\xE2\x80\xAF", " ", kHardBlank},
};

}  // namespace

std::string with_hyphens(std::string_view word) {
  constexpr std::string_view kStart = "\xE2\x80";
  const bool dash = word.size() > 3 && word.substr(0, 2) == kStart && (word[2] == '\x93' || word[2] == '\x94');
  return dash ? "--" + std::string(word.substr(3)) : std::string();
}

std::string printed_sign_in(std::string_view word) {
  for (const PrintedSign& sign : kPrintedSigns) {
    if (word.find(sign.sign) != std::string_view::npos) return std::string(sign.why);
  }
  return {};
}

std::string with_plain_signs(std::string_view word) {
  std::string out;
  for (std::size_t at = 0; at < word.size();) {
    std::size_t length = 1;
    std::string_view plain = word.substr(at, 1);
    for (const PrintedSign& sign : kPrintedSigns) {
      if (!word.substr(at).starts_with(sign.sign)) continue;
      plain = sign.plain;
      length = sign.sign.size();
    }
    out += plain;
    at += length;
  }
  return out;
}

}  // namespace quantmap
