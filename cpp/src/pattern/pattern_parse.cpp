// Python's grammar of regular expressions, as far as rules files need it; the words of errors are Python's too.
#include <algorithm>
#include <string>
#include <utility>

#include "pattern/pattern_syntax.hpp"

namespace quantmap::pattern_syntax {

namespace {

constexpr char32_t kNone = 0xFFFFFFFF;  // past the end
constexpr char32_t kMostOctal = 0377;

bool is_in(char32_t c, std::u32string_view list) { return c != kNone && list.find(c) != list.npos; }
bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }
bool is_octal(char32_t c) { return c >= U'0' && c <= U'7'; }
bool is_letter(char32_t c) { return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z'); }
bool is_name(char32_t c) { return is_letter(c) || is_digit(c) || c == U'_'; }

int hex_value(char32_t c) {
  if (is_digit(c)) return static_cast<int>(c - U'0');
  if (c >= U'a' && c <= U'f') return static_cast<int>(c - U'a') + 10;
  if (c >= U'A' && c <= U'F') return static_cast<int>(c - U'A') + 10;
  return -1;
}

Set range(char32_t low, char32_t high) {
  Set out;
  for (char32_t c = low; c <= high && c < out.size(); ++c) out.set(c);
  return out;
}

Set one(char32_t c) { return range(c, c); }

std::optional<Set> category(char32_t letter) {
  switch (letter) {
    case U'd': return digits();
    case U'D': return ~digits();
    case U's': return spaces();
    case U'S': return ~spaces();
    case U'w': return words();
    case U'W': return ~words();
    default: return std::nullopt;
  }
}

class Parser {
 public:
  Parser(std::u32string_view text, PatternError& error) : text_(text), error_(error) {}

  std::optional<Tree> run() {
    tree_.root = either(0);
    if (!failed_ && at_ < text_.size()) fail(at_, "unbalanced parenthesis");
    if (failed_) return std::nullopt;
    return std::move(tree_);
  }

 private:
  // What an escape or a character of a class stands for: a set, and the character when it is only one.
  struct Item {
    Set set;
    std::optional<char32_t> letter;
  };
  // How the last part of a sequence takes a repeat.
  enum class Takes : std::uint8_t { kRepeat, kNothing, kNoSecond };

  [[nodiscard]] char32_t peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : kNone;
  }
  bool take(char32_t c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void fail(std::size_t position, std::string what) {
    if (!failed_) error_ = {position, std::move(what)};
    failed_ = true;
  }
  NodeId add(Node node) {
    tree_.nodes.push_back(std::move(node));
    return static_cast<NodeId>(tree_.nodes.size() - 1);
  }

  NodeId either(std::size_t depth) {
    Node node{Kind::kEither, at_};
    do node.parts.push_back(sequence(depth));
    while (!failed_ && take(U'|'));
    return node.parts.size() == 1 ? node.parts.front() : add(std::move(node));
  }

  NodeId sequence(std::size_t depth) {
    Node node{Kind::kSequence, at_};
    Takes takes = Takes::kNothing;
    while (!failed_ && at_ < text_.size() && !is_in(peek(), U"|)")) {
      const std::size_t start = at_;
      const char32_t c = text_[at_++];
      if (is_in(c, U"*+?{") && take_repeat(node, takes, c, start)) continue;
      if (c == U'(' && peek() == U'?' && peek(1) == U'#') {
        comment(start);
        continue;
      }
      const std::optional<Kind> place = place_of(c);
      node.parts.push_back(place ? add({*place, start}) : part(c, start, depth));
      takes = place ? Takes::kNothing : Takes::kRepeat;
    }
    return add(std::move(node));
  }

  // A repeat of the last part; false when the sign is a brace that is only a brace.
  bool take_repeat(Node& sequence, Takes& takes, char32_t sign, std::size_t start) {
    unsigned least = 0;
    unsigned most = kEndless;
    if (!counts(sign, start, least, most)) return false;
    repeat(sequence, takes, start, least, most);
    takes = Takes::kNoSecond;
    return true;
  }

  // A place in the text, which takes no character: its end, the end of a word; taken whole.
  std::optional<Kind> place_of(char32_t c) {
    if (c == U'^') return Kind::kStart;
    if (c == U'$') return Kind::kEnd;
    if (c != U'\\' || !is_in(peek(), U"AZbB")) return std::nullopt;
    switch (text_[at_++]) {
      case U'A': return Kind::kStart;
      case U'Z': return Kind::kFinish;
      case U'b': return Kind::kBoundary;
      default: return Kind::kNoBoundary;
    }
  }

  // What takes characters.
  NodeId part(char32_t c, std::size_t start, std::size_t depth) {
    switch (c) {
      case U'(': return group(start, depth + 1);
      case U'[': return add({Kind::kSet, start, char_class(start)});
      case U'.': return add({Kind::kSet, start, ~one(U'\n')});
      case U'\\': return add({Kind::kSet, start, escape(start, false).set});
      default: return add({Kind::kSet, start, one(c)});
    }
  }

  // Reads the counts of a repeat; false when a brace is only a brace.
  bool counts(char32_t sign, std::size_t start, unsigned& least, unsigned& most) {
    if (sign == U'+') least = 1;
    if (sign == U'?') most = 1;
    if (sign != U'{') return true;
    const std::size_t inside = at_;
    const auto low = number();
    const bool comma = take(U',');
    const auto high = comma ? number() : low;
    if ((!low && !comma) || !take(U'}')) {
      at_ = inside;
      return false;
    }
    least = low.value_or(0);
    most = high.value_or(kEndless);
    if (least > most) fail(start + 1, "min repeat greater than max repeat");
    if (least > Pattern::kMostRepeats || (high && most > Pattern::kMostRepeats)) {
      fail(start, "a repeat count above " + std::to_string(Pattern::kMostRepeats));
    }
    return true;
  }

  std::optional<unsigned> number() {
    if (!is_digit(peek())) return std::nullopt;
    unsigned out = 0;
    while (is_digit(peek())) out = std::min(out * 10 + static_cast<unsigned>(text_[at_++] - U'0'), 1'000'000U);
    return out;
  }

  void repeat(Node& sequence, Takes takes, std::size_t start, unsigned least, unsigned most) {
    if (takes == Takes::kNothing) return fail(start, "nothing to repeat");
    if (takes == Takes::kNoSecond) return fail(start, "multiple repeat");
    if (take(U'+')) return fail(start, "possessive repeats are not supported");
    take(U'?');  // lazy or greedy: the same texts match
    Node node{Kind::kRepeat, start};
    node.parts = {sequence.parts.back()};
    node.least = least;
    node.most = most;
    sequence.parts.back() = add(std::move(node));
  }

  void comment(std::size_t start) {
    const std::size_t close = text_.find(U')', at_);
    if (close == text_.npos) return fail(start, "missing ), unterminated comment");
    at_ = close + 1;
  }

  NodeId group(std::size_t start, std::size_t depth) {
    if (depth > Pattern::kMostGroups) {
      fail(start, "groups nested deeper than " + std::to_string(Pattern::kMostGroups));
      return 0;
    }
    std::optional<Kind> ahead;
    if (take(U'?')) {
      const char32_t c = peek();
      if (c != kNone) ++at_;
      if (c == U'=' || c == U'!') {
        ahead = c == U'=' ? Kind::kAhead : Kind::kNotAhead;
      } else if (c == U'P') {
        name(start);
      } else if (c != U':') {
        fail(c == kNone ? text_.size() : start, extension(c));
      }
      if (failed_) return 0;
    }
    const NodeId inside = either(depth);
    if (!failed_ && !take(U')')) fail(start, "missing ), unterminated subpattern");
    if (!ahead) return inside;
    Node node{*ahead, start};
    node.parts = {inside};
    return add(std::move(node));
  }

  // Why a group that starts with "(?" and this character is refused.
  [[nodiscard]] std::string extension(char32_t c) const {
    if (c == kNone || (c == U'<' && peek() == kNone)) return "unexpected end of pattern";
    if (c == U'<' && is_in(peek(), U"=!")) return "look-behind is not supported";
    if (c == U'(') return "conditional groups are not supported";
    if (c == U'>') return "atomic groups are not supported";
    if (is_letter(c) || c == U'-') return "inline flags are not supported";
    return "unknown extension";
  }

  void name(std::size_t start) {
    if (take(U'=')) return fail(start, "back-references are not supported");
    if (!take(U'<')) return fail(start, peek() == kNone ? "unexpected end of pattern" : "unknown extension");
    const std::size_t first = at_;
    while (is_name(peek())) ++at_;
    const std::u32string_view found = text_.substr(first, at_ - first);
    if (peek() == kNone) return fail(first, "missing >, unterminated name");
    if (found.empty() || is_digit(found.front()) || !take(U'>')) {
      return fail(first, "a group name is letters, digits and underscores");
    }
    if (std::find(names_.begin(), names_.end(), found) != names_.end()) {
      return fail(first, "redefinition of a group name");
    }
    names_.push_back(found);
  }

  Set char_class(std::size_t start) {
    Set out;
    const bool negated = take(U'^');
    for (bool first = true; !failed_; first = false) {
      if (peek() == kNone) {
        fail(start, "unterminated character set");
        break;
      }
      if (!first && take(U']')) break;
      const std::size_t from = at_;
      const Item low = class_item();
      if (peek() != U'-' || peek(1) == U']') {
        out |= low.set;
        continue;
      }
      ++at_;
      if (peek() == kNone) {
        fail(start, "unterminated character set");
        break;
      }
      const Item high = class_item();
      if (failed_) break;
      if (!low.letter || !high.letter || *low.letter > *high.letter) {
        fail(from, "bad character range");
        break;
      }
      out |= range(*low.letter, *high.letter);
    }
    return negated ? ~out : out;
  }

  Item class_item() {
    const std::size_t start = at_;
    const char32_t c = text_[at_++];
    return c == U'\\' ? escape(start, true) : Item{one(c), c};
  }

  // What follows a backslash, which stands at `start`.
  Item escape(std::size_t start, bool in_class) {
    constexpr std::u32string_view kNames = U"abfnrtv";
    constexpr std::u32string_view kLetters = U"\a\b\f\n\r\t\v";
    const char32_t c = peek();
    if (c == kNone) return bad(start, "bad escape (end of pattern)");
    ++at_;
    if (const auto set = category(c)) return {*set, std::nullopt};
    if (const std::size_t index = kNames.find(c); index != kNames.npos) return letter(kLetters[index]);
    if (c == U'x') return hexadecimal(start, 2);
    if (c == U'u') return hexadecimal(start, 4);
    if (c == U'U') return hexadecimal(start, 8);
    if (is_digit(c)) return number_escape(start, c, in_class);
    if (is_letter(c)) return bad(start, c == U'N' ? "named characters are not supported" : "bad escape");
    return letter(c);
  }

  Item number_escape(std::size_t start, char32_t c, bool in_class) {
    const bool octal = c == U'0' || (is_octal(c) && (in_class || (is_octal(peek()) && is_octal(peek(1)))));
    if (!octal) return bad(start, in_class ? "bad escape" : "back-references are not supported");
    char32_t value = c - U'0';
    for (int more = 0; more < 2 && is_octal(peek()); ++more) value = value * 8 + (text_[at_++] - U'0');
    if (value > kMostOctal) return bad(start, "octal escape value outside of range 0-0o377");
    return letter(value);
  }

  Item hexadecimal(std::size_t start, int size) {
    char32_t value = 0;
    for (int i = 0; i < size; ++i) {
      const int digit = peek() == kNone ? -1 : hex_value(peek());
      if (digit < 0) return bad(start, "incomplete escape");
      value = value * 16 + static_cast<char32_t>(digit);
      ++at_;
    }
    if (value > 0x10FFFF) return bad(start, "bad escape");
    return letter(value);
  }

  static Item letter(char32_t c) { return {one(c), c}; }
  Item bad(std::size_t start, std::string what) {
    fail(start, std::move(what));
    return {};
  }

  std::u32string_view text_;
  PatternError& error_;
  std::size_t at_ = 0;
  bool failed_ = false;
  Tree tree_;
  std::vector<std::u32string_view> names_;
};

}  // namespace

Set digits() { return range(U'0', U'9'); }
Set spaces() { return range(U'\t', U'\r') | range(0x1C, U' '); }
Set words() { return range(U'a', U'z') | range(U'A', U'Z') | digits() | one(U'_'); }

std::u32string characters(std::string_view utf8) {
  std::u32string out;
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t c = size == 1 ? lead : lead & (0xFFU >> (size + 1));
    for (std::size_t k = 1; k < size; ++k) c = (c << 6U) | (static_cast<unsigned char>(utf8[i + k]) & 0x3FU);
    out.push_back(c);
    i += size;
  }
  return out;
}

std::optional<Tree> parse(std::u32string_view pattern, PatternError& error) { return Parser(pattern, error).run(); }

}  // namespace quantmap::pattern_syntax
