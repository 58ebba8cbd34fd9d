#include "quantmap/base/version.hpp"

#include <algorithm>
#include <charconv>

namespace quantmap {

namespace {

constexpr std::size_t kLongestVersion = 128;  // longer texts are no versions

// Reads the text from the left; every step either takes something or leaves the place as it was.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool take(std::string_view word) {
    if (rest_.substr(0, word.size()) != word) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  std::optional<std::uint32_t> number() {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  // A word with an optional separator before it and an optional number behind it: "rc1", ".post2", "-dev".
  std::optional<std::uint32_t> suffix(std::string_view word) {
    const std::string_view before = rest_;
    if (!rest_.empty() && std::string_view(".-_").find(rest_.front()) != std::string_view::npos) rest_.remove_prefix(1);
    if (take(word)) {
      const std::string_view after_word = rest_;
      if (!rest_.empty() && std::string_view(".-_").find(rest_.front()) != std::string_view::npos)
        rest_.remove_prefix(1);
      if (const auto value = number()) return value;
      rest_ = after_word;
      const bool ends = rest_.empty() || std::string_view(".-_+").find(rest_.front()) != std::string_view::npos;
      if (ends) return 0;
    }
    rest_ = before;
    return std::nullopt;
  }

  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace

std::optional<Version> Version::parse(std::string_view text) {
  if (text.size() > kLongestVersion) return std::nullopt;
  Scanner scan(text);
  (void)(scan.take("v") || scan.take("V"));
  Version out;
  do {
    const auto part = scan.number();
    if (!part) return std::nullopt;
    out.release_.push_back(*part);
    // A dot that no digit follows belongs to a suffix such as ".post1".
    if (scan.rest().size() < 2 || scan.rest()[1] < '0' || scan.rest()[1] > '9') break;
  } while (scan.take("."));
  static constexpr std::pair<std::string_view, char> kPre[] = {
      {"alpha", 'a'}, {"beta", 'b'}, {"preview", 'c'}, {"pre", 'c'}, {"rc", 'c'}, {"a", 'a'}, {"b", 'b'}, {"c", 'c'}};
  for (const auto& [word, letter] : kPre) {
    if (const auto value = scan.suffix(word)) {
      out.pre_letter_ = letter;
      out.pre_ = *value;
      break;
    }
  }
  out.post_ = scan.suffix("post");
  out.dev_ = scan.suffix("dev");
  const std::string_view rest = scan.rest();
  if (!rest.empty() && (rest.size() == 1 || (rest[0] != '+' && rest[0] != '-'))) return std::nullopt;
  return out;
}

std::strong_ordering Version::operator<=>(const Version& other) const noexcept {
  const std::size_t parts = std::max(release_.size(), other.release_.size());
  for (std::size_t i = 0; i < parts; ++i) {
    const std::uint32_t mine = i < release_.size() ? release_[i] : 0;
    const std::uint32_t theirs = i < other.release_.size() ? other.release_[i] : 0;
    if (mine != theirs) return mine <=> theirs;
  }
  // A development release of the bare version stands before its pre-releases, a pre-release before the final one.
  const auto stage = [](const Version& v) -> std::pair<int, std::uint32_t> {
    if (v.pre_letter_ != 0) return {v.pre_letter_ - 'a' + 1, v.pre_};
    return {v.dev_ && !v.post_ ? 0 : 9, 0};
  };
  if (const auto order = stage(*this) <=> stage(other); order != 0) return order;
  const auto post = [](const Version& v) -> std::int64_t { return v.post_ ? std::int64_t{*v.post_} : -1; };
  if (const auto order = post(*this) <=> post(other); order != 0) return order;
  const auto dev = [](const Version& v) -> std::int64_t { return v.dev_ ? std::int64_t{*v.dev_} : INT64_MAX; };
  return dev(*this) <=> dev(other);
}

bool Version::operator==(const Version& other) const noexcept { return (*this <=> other) == 0; }

std::string Version::str() const {
  std::string out;
  for (const std::uint32_t part : release_) out += (out.empty() ? "" : ".") + std::to_string(part);
  if (pre_letter_ != 0)
    out += (pre_letter_ == 'c' ? std::string("rc") : std::string(1, pre_letter_)) + std::to_string(pre_);
  if (post_) out += ".post" + std::to_string(*post_);
  if (dev_) out += ".dev" + std::to_string(*dev_);
  return out;
}

}  // namespace quantmap
