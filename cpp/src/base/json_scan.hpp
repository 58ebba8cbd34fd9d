// A walk over JSON text that builds nothing: for headers with a hundred thousand entries.
//
// Strict where it matters to the reader of headers: it stops for good at the first thing that is not JSON, and knows
// the place. Texts are views into the input; escapes are kept as written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

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

  // The inside of a text, escapes as written.
  bool text(std::string_view& out) noexcept {
    if (!expect('"')) return false;
    const std::size_t begin = at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        out = text_.substr(begin, at_ - begin);
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) return fail();
      at_ += c == '\\' ? 2 : 1;
    }
    at_ = text_.size();
    return fail();
  }

  // A whole number below 2^63.
  bool number(std::uint64_t& out) noexcept {
    skip_space();
    const std::size_t begin = at_;
    out = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      if (at_ - begin >= 19) return fail();
      out = out * 10 + static_cast<std::uint64_t>(text_[at_] - '0');
      ++at_;
    }
    if (at_ == begin || (at_ - begin > 1 && text_[begin] == '0') || (out >> 63U) != 0) return fail();
    return true;
  }

  // Any value, nested at most so deep.
  bool skip(int depth = 32) noexcept {
    if (depth == 0) return fail();
    std::string_view unused;
    skip_space();
    if (at_ >= text_.size()) return fail();
    const char c = text_[at_];
    if (c == '"') return text(unused);
    if (c == '{' || c == '[') {
      const char end = c == '{' ? '}' : ']';
      ++at_;
      if (take(end)) return true;
      do {
        if (c == '{' && !(text(unused) && expect(':'))) return false;
        if (!skip(depth - 1)) return false;
      } while (take(','));
      return expect(end);
    }
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    return at_ > begin || fail();
  }

  // Nothing but white space is left.
  bool at_end() noexcept {
    skip_space();
    return !failed_ && at_ == text_.size();
  }

 private:
  static bool is_word(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' ||
           c == '.';
  }
  void skip_space() noexcept {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace quantmap
