// Regular expressions of rules files: would Python's re.match accept this text?
//
// A subset of Python's `re`: literals, escapes, classes, groups, alternation, repeats, anchors and look-ahead.
// Look-behind, back-references, inline flags, possessive repeats and atomic groups are refused. What is matched is
// ASCII, since module paths are Python names; a pattern may hold any characters.
//
// No pattern is slow: it becomes an automaton whose states are decided for every position of the text, from the last to
// the first, so that the time is (states × characters) whatever the pattern nests. There is no backtracking.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quantmap {

struct PatternError {
  std::size_t position = 0;  // in characters, from 0, as Python counts
  std::string what;
};

class Pattern {
 public:
  static constexpr std::size_t kMostCharacters = 1000;  // of a pattern
  static constexpr std::size_t kMostText = 1000;        // bytes of a text
  static constexpr std::size_t kMostStates = 5000;
  static constexpr unsigned kMostRepeats = 1000;
  static constexpr std::size_t kMostGroups = 100;  // one inside another

  // Nothing, and the reason, when the pattern is not UTF-8, not a pattern of Python, or not in the subset.
  static std::optional<Pattern> compile(std::string_view utf8, PatternError& error);

  // Whether a text can be given to `matches`: ASCII and not too long.
  [[nodiscard]] static bool is_text(std::string_view text) noexcept;
  // Whether a match starts at the first character; it may end anywhere. False for what is no text.
  [[nodiscard]] bool matches(std::string_view text) const;

  [[nodiscard]] std::size_t size() const noexcept { return states_.size(); }
  // Whether it matches every text, as far as that shows without looking at characters: `.*`, but not `.*$`.
  [[nodiscard]] bool always() const;
  // False only if no path such as model/layers[0]/self_attn/q_proj can match. Look-ahead counts as fulfilled.
  [[nodiscard]] bool can_match_path() const;
  // Position in the pattern of the first part that fits no character of any path, such as the dot of `layers\.0`.
  [[nodiscard]] std::optional<std::size_t> dead_part() const noexcept { return dead_part_; }

 private:
  friend class PatternCompiler;
  using Set = std::bitset<128>;

  enum class Op : std::uint8_t {
    kAccept,
    kSet,    // one character
    kSplit,  // next or other
    kStart,
    kEnd,     // or before a newline that ends the text
    kFinish,  // only there
    kBoundary,
    kNoBoundary,
    kAhead,  // the scope `other` matches here
    kNotAhead,
  };
  struct State {
    Op op;
    std::uint32_t next;
    std::uint32_t other;
    Set set;
  };
  // The whole pattern, or the inside of one look-ahead. Inner ones come first.
  struct Scope {
    std::uint32_t start;
    std::uint32_t accept;
    std::vector<std::uint32_t> readers;  // its kSet states
  };
  class Run;

  void link();
  [[nodiscard]] const Scope& whole() const noexcept { return scopes_.back(); }

  std::vector<State> states_;
  std::vector<Scope> scopes_;
  // The states that reach a state without reading: of state s, from sources_[first_source_[s]] on.
  std::vector<std::uint32_t> first_source_;
  std::vector<std::uint32_t> sources_;
  std::optional<std::size_t> dead_part_;
};

}  // namespace quantmap
