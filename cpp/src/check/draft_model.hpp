// The draft of speculative decoding: a model beside the served one, with files of its own.
#pragma once

#include "quantmap/check/check.hpp"
#include "quantmap/deployment/line_rules.hpp"

namespace quantmap {

// Judges the draft that a launch names by what its own files say, with the arguments that hold for it as well; what the
// release refuses of it is told at the argument that names it. Nothing of a draft of which nothing was read.
void judge_draft(const Line& line, const CheckRequest& request, Checked& out);

}  // namespace quantmap
