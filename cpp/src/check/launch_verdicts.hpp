// What is said of a launch's words beside what its release says.
#pragma once

#include <string>
#include <vector>

#include "quantmap/catalog/catalog.hpp"
#include "quantmap/deployment/line_rules.hpp"

namespace quantmap {

// Earlier uses of a flag that is given again: the parser takes the last.
void note_repeats(std::vector<Verdict>& verdicts);

// The words that start a server, as they are written.
[[nodiscard]] std::string words_of(const Launcher& launcher);

}  // namespace quantmap
