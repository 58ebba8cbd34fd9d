// Verdicts on a launch line that someone else wrote.
//
// What quantmap derives may lean on a rule that is only assumed, or that holds on some GPUs: it has something else to
// write. A line is refused only for what is certain whatever its checkpoint and GPU, as far as they are not given.
#pragma once

#include <vector>

#include "quantmap/deployment/not_looked_at.hpp"
#include "quantmap/deployment/verdict.hpp"

namespace quantmap {

// One verdict per argument, in order. The notes get what concerns the launch as a whole: that nothing can be served,
// and what depends on the GPU when none is given. Without a known checkpoint the deployment's is the unquantized one.
struct Line {
  std::vector<Argument> arguments;
  bool literal = true;  // words, not parameters by name
  bool checkpoint_known = false;
  bool more = false;  // some words of it may be any arguments
  // The model that is known is the one that the line names. Another one stands for its architecture: lengths of
  // contexts differ between models that are alike in all else.
  bool own_model = true;
};
[[nodiscard]] std::vector<Verdict> judge_line(const Engine& engine, const Deployment& deployment, const Line& line,
                                              Diagnostics& notes);

// Rules about arguments whose values are not in the line, among what is not looked at.
void add_left_open(const Engine& engine, const Deployment& deployment, const std::vector<Verdict>& verdicts,
                   std::vector<NotLookedAt>& out);

}  // namespace quantmap
