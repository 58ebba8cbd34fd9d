#include "quantmap/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace quantmap {

namespace {

constexpr std::size_t kLongestWord = 64;  // longer words have no near names: no edit distance over megabytes

// Case does not tell words apart, and a dash is an underscore.
char folded(char c) noexcept {
  if (c == '_') return '-';
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Restricted Damerau-Levenshtein distance of folded words, O(n*m) on at most kLongestWord bytes each; anything from
// `enough` on is as good as `enough`, so most words are left after a few letters.
std::size_t edits(std::string_view a, std::string_view b, std::size_t enough) {
  const std::size_t apart = a.size() < b.size() ? b.size() - a.size() : a.size() - b.size();
  if (apart >= enough) return enough;
  std::array<std::size_t, kLongestWord + 1> before{};
  std::array<std::size_t, kLongestWord + 1> last{};
  std::array<std::size_t, kLongestWord + 1> now{};
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  std::size_t least_before = 0;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    std::size_t least = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = folded(a[i - 1]) == folded(b[j - 1]);
      now[j] = std::min({last[j - 1] + (same ? 0 : 1), last[j] + 1, now[j - 1] + 1});
      const bool crossed =
          i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) && folded(a[i - 2]) == folded(b[j - 1]);
      if (crossed) now[j] = std::min(now[j], before[j - 2] + 1);
      least = std::min(least, now[j]);
    }
    if (least >= enough && least_before >= enough) return enough;
    least_before = least;
    before = last;
    last = now;
  }
  return last[b.size()];
}

bool goes_on(std::string_view candidate, std::string_view word) noexcept {
  return candidate.size() >= word.size() &&
         std::equal(word.begin(), word.end(), candidate.begin(), [](char x, char y) { return folded(x) == folded(y); });
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trim(std::string_view text) noexcept {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string_view head(std::string_view text, std::size_t bytes) noexcept {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
  return text.substr(0, bytes);
}

std::string join(std::span<const std::string_view> words, std::string_view separator) {
  std::string out;
  for (const std::string_view word : words) {
    if (!out.empty()) out += separator;
    out += word;
  }
  return out;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > kLongestWord) return {};
  std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
  std::string_view found;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kLongestWord) continue;
    const std::size_t distance = edits(word, candidate, best);
    if (distance < best && distance < std::max(word.size(), candidate.size())) {
      best = distance;
      found = candidate;
    }
  }
  if (!found.empty() || word.size() < 3) return found;
  // "kv-cache" for "kv-cache-fp8": the shortest candidate that goes on where the word ends.
  for (const std::string_view candidate : candidates) {
    if (goes_on(candidate, word) && (found.empty() || candidate.size() < found.size())) found = candidate;
  }
  return found;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view near = nearest(word, candidates);
  return near.empty() ? std::string() : "did you mean " + quote(near) + "?";
}

// CPython's float_repr_style "short": digits that read back, in %r form (Python/pystrtod.c).
std::string python_float(double value) {
  char digits[32];
  const auto made = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific);
  const std::string_view text(digits, static_cast<std::size_t>(made.ptr - digits));
  const std::size_t mark = text.find('e');
  const bool negative = text[0] == '-';
  std::string mantissa;
  for (const char c : text.substr(negative ? 1 : 0, mark - (negative ? 1 : 0))) {
    if (c != '.') mantissa += c;
  }
  int exponent = 0;
  const std::size_t sign = text[mark + 1] == '+' ? 1 : 0;  // from_chars takes no plus
  std::from_chars(text.data() + mark + 1 + sign, text.data() + text.size(), exponent);
  std::string out = negative ? "-" : "";
  const int count = static_cast<int>(mantissa.size());
  if (exponent < -4 || exponent >= 16) {
    out += mantissa.substr(0, 1);
    if (count > 1) out += "." + mantissa.substr(1);
    char buffer[16];
    std::snprintf(buffer, sizeof buffer, "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
    return out + buffer;
  }
  if (exponent < 0) return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + mantissa;
  const int whole = exponent + 1;
  if (count <= whole) return out + mantissa + std::string(static_cast<std::size_t>(whole - count), '0') + ".0";
  return out + mantissa.substr(0, static_cast<std::size_t>(whole)) + "." +
         mantissa.substr(static_cast<std::size_t>(whole));
}

namespace {

// What follows a lead byte: how many bytes, and between which the first of them lies, so that no character has two
// forms, none is half of a pair, and none lies past the last one.
struct Following {
  int count;
  unsigned char low;
  unsigned char high;
};

constexpr Following after(unsigned char lead) noexcept {
  if (lead >= 0xF0)
    return {3, static_cast<unsigned char>(lead == 0xF0 ? 0x90 : 0x80),
            static_cast<unsigned char>(lead == 0xF4 ? 0x8F : 0xBF)};
  if (lead >= 0xE0)
    return {2, static_cast<unsigned char>(lead == 0xE0 ? 0xA0 : 0x80),
            static_cast<unsigned char>(lead == 0xED ? 0x9F : 0xBF)};
  return {1, 0x80, 0xBF};
}

void append_escape(std::string& out, const char* format, unsigned unit) {
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, format, unit);
  out += buffer;
}

void append_ascii(std::string& out, unsigned char byte) {
  switch (byte) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    default: break;
  }
  if (byte < 0x20 || byte == 0x7F) {
    append_escape(out, "\\u%04x", byte);
  } else {
    out += static_cast<char>(byte);
  }
}

// A character beyond ASCII; JSON writes those beyond 16 bits in two halves.
void append_wide(std::string& out, unsigned point, bool yaml) {
  if (point < 0x10000) {
    append_escape(out, "\\u%04x", point);
  } else if (yaml) {
    append_escape(out, "\\U%08x", point);
  } else {
    append_escape(out, "\\u%04x", 0xD800 + ((point - 0x10000) >> 10U));
    append_escape(out, "\\u%04x", 0xDC00 + ((point - 0x10000) & 0x3FFU));
  }
}

}  // namespace

bool is_valid_utf8(std::string_view text) noexcept {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = p + text.size();
  while (p < end) {
    const unsigned char lead = *p++;
    if (lead < 0x80) continue;
    const Following following = after(lead);
    if (lead < 0xC2 || lead > 0xF4 || end - p < following.count) return false;
    if (*p < following.low || *p > following.high) return false;
    ++p;
    for (int i = 1; i < following.count; ++i, ++p) {
      if ((*p & 0xC0U) != 0x80U) return false;
    }
  }
  return true;
}

void append_json_string(std::string& out, std::string_view text, bool yaml) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      append_ascii(out, byte);
      ++i;
      continue;
    }
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
    unsigned point = byte & (0xFFU >> (length + 1));
    for (std::size_t k = 1; k < length && i + k < text.size(); ++k) {
      point = (point << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    }
    i += length;
    append_wide(out, point, yaml);
  }
  out += '"';
}

}  // namespace quantmap
