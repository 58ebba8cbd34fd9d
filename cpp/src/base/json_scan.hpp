// A walk over JSON text that builds nothing: for headers with a hundred thousand entries.
//
// Strict: it stops for good at the first thing that is not JSON, and knows the place. Texts are views into the input;
// one with escapes is decoded and kept by the walk, so that two spellings of a name are one name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/letters.hpp"

namespace quantmap {

class JsonScan {
 public:
  explicit JsonScan(std::string_view text) : text_(text) {}

  [[nodiscard]] std::size_t position() const noexcept { return at_; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  bool fail() noexcept {
    failed_ = true;
    return false;
  }

  // Takes the character if it comes next, after white space.
  bool take(char wanted) noexcept {
    skip_space();
    if (failed_ || at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  bool expect(char wanted) noexcept { return take(wanted) || fail(); }

  // What a text says; the view lives as long as the walk and its input.
  bool text(std::string_view& out) {
    std::size_t begin = 0;
    bool escapes = false;
    if (!raw_text(begin, escapes)) return false;
    out = text_.substr(begin, at_ - 1 - begin);
    if (!escapes) return true;
    std::string decoded;
    decoded.reserve(out.size());
    if (!decode(out, decoded)) return fail();
    out = decoded_.emplace_back(std::move(decoded));
    return true;
  }

  // A whole number below 2^63.
  bool number(std::uint64_t& out) noexcept {
    skip_space();
    const std::size_t begin = at_;
    out = 0;
    while (at_ < text_.size() && is_digit(text_[at_])) {
      if (at_ - begin >= 19) return fail();
      out = out * 10 + static_cast<std::uint64_t>(text_[at_] - '0');
      ++at_;
    }
    if (at_ == begin || (at_ - begin > 1 && text_[begin] == '0') || (out >> 63U) != 0) return fail();
    return true;
  }

  // Any value, nested at most so deep.
  bool skip(int depth = 64) {
    if (depth == 0) return fail();
    skip_space();
    if (at_ >= text_.size()) return fail();
    const char c = text_[at_];
    if (c == '"') return skip_text();
    if (c == '{' || c == '[') return skip_container(c == '{', depth);
    return c == '-' || is_digit(c) ? skip_number() : skip_word();
  }

  // Nothing but white space is left.
  bool at_end() noexcept {
    skip_space();
    return !failed_ && at_ == text_.size();
  }

 private:
  // The inside of a text, escapes as written; the place is after its end then.
  bool raw_text(std::size_t& begin, bool& escapes) noexcept {
    if (!expect('"')) return false;
    begin = at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) return fail();
      escapes = escapes || c == '\\';
      at_ += c == '\\' ? 2 : 1;
    }
    at_ = text_.size();
    return fail();
  }

  bool skip_text() {
    std::size_t begin = 0;
    bool escapes = false;
    if (!raw_text(begin, escapes)) return false;
    std::string unused;
    return !escapes || decode(text_.substr(begin, at_ - 1 - begin), unused) || fail();
  }

  bool skip_container(bool object, int depth) {
    const char end = object ? '}' : ']';
    ++at_;
    if (take(end)) return true;
    do {
      if (object && !(is_text_next() && skip_text() && expect(':'))) return fail();
      if (!skip(depth - 1)) return false;
    } while (take(','));
    return expect(end);
  }

  bool is_text_next() noexcept {
    skip_space();
    return at_ < text_.size() && text_[at_] == '"';
  }

  bool digits() noexcept {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ > begin || fail();
  }
  bool is_next(char wanted) const noexcept { return at_ < text_.size() && text_[at_] == wanted; }

  bool skip_number() noexcept {
    if (is_next('-')) ++at_;
    const std::size_t begin = at_;
    if (!digits() || (text_[begin] == '0' && at_ - begin > 1)) return fail();
    if (is_next('.')) {
      ++at_;
      if (!digits()) return false;
    }
    if (is_next('e') || is_next('E')) {
      ++at_;
      if (is_next('+') || is_next('-')) ++at_;
      return digits();
    }
    return true;
  }

  bool skip_word() noexcept {
    for (const std::string_view word :
         {std::string_view("true"), std::string_view("false"), std::string_view("null")}) {
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return true;
      }
    }
    return fail();
  }

  static int hex(char c) noexcept {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  }

  // Four hexadecimal digits at the place; -1 where there are none.
  static int unit(std::string_view raw, std::size_t at) noexcept {
    if (raw.size() - at < 4) return -1;
    int out = 0;
    for (const char c : raw.substr(at, 4)) {
      if (hex(c) < 0) return -1;
      out = out * 16 + hex(c);
    }
    return out;
  }

  static void append_utf8(std::string& out, unsigned point) {
    if (point < 0x80) {
      out += static_cast<char>(point);
      return;
    }
    const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    const unsigned lead = more == 1 ? 0xC0U : more == 2 ? 0xE0U : 0xF0U;
    out += static_cast<char>(lead | (point >> (6U * static_cast<unsigned>(more))));
    for (int i = more - 1; i >= 0; --i)
      out += static_cast<char>(0x80U | ((point >> (6U * static_cast<unsigned>(i))) & 0x3FU));
  }

  // The character of \u at the place, or of two of them that are its halves; half a character is none.
  static bool decode_unit(std::string_view raw, std::size_t& at, std::string& out) {
    const int first = unit(raw, at);
    at += 4;
    if (first < 0 || (first >= 0xDC00 && first < 0xE000)) return false;
    if (first < 0xD800 || first >= 0xE000) {
      append_utf8(out, static_cast<unsigned>(first));
      return true;
    }
    if (!raw.substr(at).starts_with("\\u")) return false;
    const int second = unit(raw, at + 2);
    at += 6;
    if (second < 0xDC00 || second >= 0xE000) return false;
    append_utf8(out,
                0x10000U + (static_cast<unsigned>(first - 0xD800) << 10U) + static_cast<unsigned>(second - 0xDC00));
    return true;
  }

  static bool decode(std::string_view raw, std::string& out) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeans = "\"\\/\b\f\n\r\t";
    for (std::size_t at = 0; at < raw.size();) {
      if (raw[at] != '\\') {
        out += raw[at++];
        continue;
      }
      const char name = raw[at + 1];
      at += 2;
      if (name == 'u') {
        if (!decode_unit(raw, at, out)) return false;
      } else if (const std::size_t found = kNames.find(name); found != std::string_view::npos) {
        out += kMeans[found];
      } else {
        return false;
      }
    }
    return true;
  }

  void skip_space() noexcept {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  std::string_view text_;
  std::deque<std::string> decoded_;  // its elements stay where they are
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace quantmap
