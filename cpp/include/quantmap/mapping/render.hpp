// Arguments as the engine reads them: JSON values, files, words, shell lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "quantmap/base/value.hpp"
#include "quantmap/mapping/map.hpp"

namespace quantmap {

// Gathers what goes into JSON values and files: arguments with a place become one argument each, and file texts.
void assemble(Mapping& mapping);

// The arguments as words for an exec call: true is the bare flag, false is nothing.
[[nodiscard]] std::vector<std::string> argv(const Mapping& mapping);

// A word that a POSIX shell reads back unchanged.
[[nodiscard]] std::string shell_quote(std::string_view word);

// Block-style YAML 1.2 of a tree of objects, lists and scalars; every text that could be read as something else is
// quoted.
[[nodiscard]] std::string write_yaml(const Value& value);

}  // namespace quantmap
