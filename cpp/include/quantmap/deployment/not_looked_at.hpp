// What a result leaves out: the groups of rules that could not speak, and what to give so that they can.
#pragma once

#include <string>
#include <vector>

#include "quantmap/deployment/deployment.hpp"

namespace quantmap {

struct NotLookedAt {
  std::string what;
  std::string give;  // the name of a parameter; empty: nothing helps
};

// `checkpoint_known`: something was said of the checkpoint, or read.
[[nodiscard]] std::vector<NotLookedAt> not_looked_at(const Engine& engine, const Deployment& deployment,
                                                     bool checkpoint_known);

}  // namespace quantmap
