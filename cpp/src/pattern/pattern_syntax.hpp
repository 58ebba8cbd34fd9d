// The tree of a regular expression, between pattern_parse.cpp and pattern.cpp.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "quantmap/pattern/pattern.hpp"

namespace quantmap::pattern_syntax {

using Set = std::bitset<128>;
using NodeId = std::uint32_t;
inline constexpr unsigned kEndless = std::numeric_limits<unsigned>::max();

enum class Kind : std::uint8_t {
  kSet,
  kStart,
  kEnd,
  kFinish,
  kBoundary,
  kNoBoundary,
  kSequence,
  kEither,
  kRepeat,
  kAhead,
  kNotAhead
};

struct Node {
  Kind kind;
  std::size_t position;  // in the pattern
  Set set = {};
  std::vector<NodeId> parts = {};
  unsigned least = 1;
  unsigned most = 1;
};

struct Tree {
  std::vector<Node> nodes;
  NodeId root = 0;
};

[[nodiscard]] Set digits();
[[nodiscard]] Set spaces();
[[nodiscard]] Set words();

// The characters of UTF-8 text, which must be valid.
[[nodiscard]] std::u32string characters(std::string_view utf8);

[[nodiscard]] std::optional<Tree> parse(std::u32string_view pattern, PatternError& error);

}  // namespace quantmap::pattern_syntax
