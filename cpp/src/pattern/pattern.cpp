#include "quantmap/pattern/pattern.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "pattern/pattern_syntax.hpp"
#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

using pattern_syntax::Kind;
using pattern_syntax::Node;
using pattern_syntax::NodeId;
using Set = std::bitset<128>;

// Where in a path one is. kEnded: behind `$`, where nothing is read any more.
enum Place : std::uint8_t { kBegin, kSegment, kName, kBracket, kIndex, kClosed, kEnded, kPlaces };

// The kinds of characters that paths consist of.
struct Letters {
  Set set;
  std::array<Place, kPlaces> to;  // from each place; kPlaces: not there
};

Set of(std::string_view letters) {
  Set out;
  for (const char c : letters) out.set(static_cast<unsigned char>(c));
  return out;
}

// A path is names with optional [index] each, and slashes between them. Lists that are modules of their own have items
// whose names are numbers.
std::array<Letters, 5> path_letters() {
  constexpr Place no = kPlaces;
  return {{
      {pattern_syntax::words() & ~pattern_syntax::digits(), {kName, kName, kName, no, no, no, no}},
      {pattern_syntax::digits(), {no, kName, kName, kIndex, kIndex, no, no}},
      {of("/"), {no, no, kSegment, no, no, kSegment, no}},
      {of("["), {no, no, kBracket, no, no, kBracket, no}},
      {of("]"), {no, no, no, no, kClosed, no, no}},
  }};
}

bool is_word(char c) { return pattern_syntax::words()[static_cast<unsigned char>(c)]; }

}  // namespace

// From the tree to states, last part first: every part is told which state comes after it.
class PatternCompiler {
 public:
  PatternCompiler(const pattern_syntax::Tree& tree, Pattern& out, PatternError& error)
      : tree_(tree), out_(out), error_(error) {
    for (const auto& letters : path_letters()) in_paths_ |= letters.set;
  }

  bool run() {
    scope(tree_.root);
    return !failed_;
  }

 private:
  using Op = Pattern::Op;
  using Id = std::uint32_t;

  Id add(Op op, Id next, std::size_t position, Id other = 0, Set set = {}) {
    if (out_.states_.size() >= Pattern::kMostStates) {
      if (!failed_) error_ = {position, "more than " + std::to_string(Pattern::kMostStates) + " states"};
      failed_ = true;
      return next;
    }
    out_.states_.push_back({op, next, other, set});
    return static_cast<Id>(out_.states_.size() - 1);
  }

  Id scope(NodeId root) {
    std::vector<Id> readers;
    std::swap(readers, readers_);
    const Id accept = add(Op::kAccept, 0, 0);
    const Id start = emit(root, accept);
    std::swap(readers, readers_);
    out_.scopes_.push_back({start, accept, std::move(readers)});
    return static_cast<Id>(out_.scopes_.size() - 1);
  }

  Id emit(NodeId id, Id next) {
    if (failed_) return next;
    const Node& node = tree_.nodes[id];
    switch (node.kind) {
      case Kind::kSet: return reader(node, next);
      case Kind::kStart: return add(Op::kStart, next, node.position);
      case Kind::kEnd: return add(Op::kEnd, next, node.position);
      case Kind::kFinish: return add(Op::kFinish, next, node.position);
      case Kind::kBoundary: return add(Op::kBoundary, next, node.position);
      case Kind::kNoBoundary: return add(Op::kNoBoundary, next, node.position);
      case Kind::kAhead: return add(Op::kAhead, next, node.position, scope(node.parts.front()));
      case Kind::kNotAhead: return add(Op::kNotAhead, next, node.position, scope(node.parts.front()));
      case Kind::kSequence:
        for (auto part = node.parts.rbegin(); part != node.parts.rend(); ++part) next = emit(*part, next);
        return next;
      case Kind::kEither: {
        Id start = emit(node.parts.back(), next);
        for (auto part = node.parts.rbegin() + 1; part != node.parts.rend(); ++part) {
          start = add(Op::kSplit, emit(*part, next), node.position, start);
        }
        return start;
      }
      case Kind::kRepeat: return repeat(node, next);
    }
    return next;
  }

  Id reader(const Node& node, Id next) {
    const Id out = add(Op::kSet, next, node.position, 0, node.set);
    readers_.push_back(out);
    if ((node.set & in_paths_).none()) {
      out_.dead_part_ = std::min(out_.dead_part_.value_or(node.position), node.position);
    }
    return out;
  }

  Id repeat(const Node& node, Id next) {
    Id start = next;
    if (node.most == pattern_syntax::kEndless) {
      start = add(Op::kSplit, next, node.position, next);
      const Id inside = emit(node.parts.front(), start);
      if (!failed_) out_.states_[start].other = inside;
    } else {
      for (unsigned i = node.least; i < node.most && !failed_; ++i) {
        const Id inside = emit(node.parts.front(), start);
        if (inside == start) break;  // an empty part: once is as good as often
        start = add(Op::kSplit, next, node.position, inside);
      }
    }
    for (unsigned i = 0; i < node.least && !failed_; ++i) {
      const Id inside = emit(node.parts.front(), start);
      if (inside == start) break;
      start = inside;
    }
    return start;
  }

  const pattern_syntax::Tree& tree_;
  Pattern& out_;
  PatternError& error_;
  Set in_paths_;
  std::vector<Id> readers_;
  bool failed_ = false;
};

// One text: which states accept what follows, position by position from the end.
class Pattern::Run {
 public:
  Run(const Pattern& pattern, std::string_view text)
      : pattern_(pattern), text_(text), now_(pattern.size()), after_(pattern.size()) {}

  bool operator()() {
    for (std::size_t at = text_.size() + 1; at-- > 0;) {
      std::swap(now_, after_);
      std::fill(now_.begin(), now_.end(), std::uint8_t{0});
      for (const Scope& scope : pattern_.scopes_) decide(scope, at);
    }
    return now_[pattern_.whole().start] != 0;
  }

 private:
  void decide(const Scope& scope, std::size_t at) {
    mark(scope.accept);
    if (at < text_.size()) {
      const auto c = static_cast<unsigned char>(text_[at]);
      for (const std::uint32_t reader : scope.readers) {
        const State& state = pattern_.states_[reader];
        if (state.set[c] && after_[state.next] != 0) mark(reader);
      }
    }
    while (!open_.empty()) {
      const std::uint32_t state = open_.back();
      open_.pop_back();
      for (std::uint32_t i = pattern_.first_source_[state]; i < pattern_.first_source_[state + 1]; ++i) {
        const std::uint32_t source = pattern_.sources_[i];
        if (now_[source] == 0 && holds(pattern_.states_[source], at)) mark(source);
      }
    }
  }

  void mark(std::uint32_t state) {
    now_[state] = 1;
    open_.push_back(state);
  }

  [[nodiscard]] bool holds(const State& state, std::size_t at) const {
    const std::size_t size = text_.size();
    switch (state.op) {
      case Op::kSplit: return true;
      case Op::kStart: return at == 0;
      case Op::kEnd: return at == size || (at + 1 == size && text_[at] == '\n');
      case Op::kFinish: return at == size;
      case Op::kBoundary: return boundary(at);
      case Op::kNoBoundary: return size != 0 && !boundary(at);  // as Python before 3.14: never in an empty text
      case Op::kAhead: return now_[pattern_.scopes_[state.other].start] != 0;
      case Op::kNotAhead: return now_[pattern_.scopes_[state.other].start] == 0;
      default: return false;
    }
  }

  [[nodiscard]] bool boundary(std::size_t at) const {
    return (at > 0 && is_word(text_[at - 1])) != (at < text_.size() && is_word(text_[at]));
  }

  const Pattern& pattern_;
  std::string_view text_;
  std::vector<std::uint8_t> now_;
  std::vector<std::uint8_t> after_;
  std::vector<std::uint32_t> open_;
};

std::optional<Pattern> Pattern::compile(std::string_view utf8, PatternError& error) {
  if (!is_valid_utf8(utf8)) {
    error = {0, "text that is not valid Unicode"};
    return std::nullopt;
  }
  const std::u32string text = pattern_syntax::characters(utf8);
  if (text.size() > kMostCharacters) {
    error = {kMostCharacters, "longer than " + std::to_string(kMostCharacters) + " characters"};
    return std::nullopt;
  }
  const auto tree = pattern_syntax::parse(text, error);
  if (!tree) return std::nullopt;
  Pattern out;
  if (!PatternCompiler(*tree, out, error).run()) return std::nullopt;
  out.link();
  return out;
}

void Pattern::link() {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;  // (to, from)
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    const State& state = states_[i];
    if (state.op == Op::kSet || state.op == Op::kAccept) continue;
    edges.emplace_back(state.next, i);
    if (state.op == Op::kSplit) edges.emplace_back(state.other, i);
  }
  std::sort(edges.begin(), edges.end());
  first_source_.assign(states_.size() + 1, 0);
  for (const auto& [to, from] : edges) {
    ++first_source_[to + 1];
    sources_.push_back(from);
  }
  for (std::size_t i = 1; i < first_source_.size(); ++i) first_source_[i] += first_source_[i - 1];
}

bool Pattern::is_text(std::string_view text) noexcept {
  return text.size() <= kMostText &&
         std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
}

bool Pattern::matches(std::string_view text) const { return is_text(text) && Run(*this, text)(); }

bool Pattern::always() const {
  std::vector<bool> seen(size());
  std::vector<std::uint32_t> open{whole().start};
  while (!open.empty()) {
    const std::uint32_t id = open.back();
    open.pop_back();
    if (id == whole().accept) return true;
    if (seen[id]) continue;
    seen[id] = true;
    const State& state = states_[id];
    if (state.op == Op::kSplit) open.push_back(state.other);
    if (state.op == Op::kSplit || state.op == Op::kStart) open.push_back(state.next);
  }
  return false;
}

bool Pattern::can_match_path() const {
  const auto letters = path_letters();
  std::vector<std::bitset<kPlaces>> seen(size());
  std::vector<std::pair<std::uint32_t, Place>> open;
  const auto visit = [&](std::uint32_t state, Place place) {
    if (seen[state][place]) return;
    seen[state].set(place);
    open.emplace_back(state, place);
  };
  visit(whole().start, kBegin);
  while (!open.empty()) {
    const auto [id, place] = open.back();
    open.pop_back();
    if (id == whole().accept) return true;
    const State& state = states_[id];
    switch (state.op) {
      case Op::kSet:
        for (const Letters& kind : letters) {
          if (kind.to[place] != kPlaces && (kind.set & state.set).any()) visit(state.next, kind.to[place]);
        }
        break;
      case Op::kSplit:
        visit(state.next, place);
        visit(state.other, place);
        break;
      case Op::kStart:
        if (place == kBegin) visit(state.next, place);
        break;
      case Op::kEnd:
      case Op::kFinish:  // the path of a linear layer ends with the name of an attribute
        if (place == kName || place == kEnded) visit(state.next, kEnded);
        break;
      default: visit(state.next, place);
    }
  }
  return false;
}

}  // namespace quantmap
