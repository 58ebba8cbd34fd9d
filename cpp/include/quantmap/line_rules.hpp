// What the rules say of a launch line that someone else wrote.
#pragma once

#include <vector>

#include "quantmap/verdict.hpp"

namespace quantmap {

// Adds an error to the notes when the release can serve nothing here, whatever the arguments.
void report_cannot_serve(const Engine& engine, const Situation& situation, Diagnostics& notes);

}  // namespace quantmap
