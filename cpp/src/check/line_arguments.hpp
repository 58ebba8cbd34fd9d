// Words behind a launcher, told into arguments and what belongs to none.
#pragma once

#include <string>
#include <vector>

#include "find_launch.hpp"
#include "quantmap/release/argument.hpp"
#include "quantmap/release/argument_schema.hpp"

namespace quantmap {

struct LineArguments {
  std::vector<Argument> arguments;
  std::vector<bool> by_default;  // of each argument: whoever starts the script may give another
  std::vector<Word> positional;
  std::vector<Word> unknown;  // words that may stand for any number of arguments
};

// Which flags take values, and how many, is what the release knows of each flag; an unknown one takes one value.
[[nodiscard]] LineArguments read_arguments(const Engine& engine, ReleaseNumber release, const std::vector<Word>& words);

}  // namespace quantmap
