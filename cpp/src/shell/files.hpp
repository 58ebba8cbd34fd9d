// Files that a script writes, and what programs print into them.
#pragma once

#include <string>
#include <vector>

#include "quantmap/shell/shell.hpp"

namespace quantmap::shell {

// The last word that is no option: the file that tee writes.
[[nodiscard]] std::string last_name(const std::vector<Word>& words);
// What echo or printf writes.
[[nodiscard]] WrittenFile printed(const Command& command);

}  // namespace quantmap::shell
