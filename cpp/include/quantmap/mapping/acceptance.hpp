// How much of the documented grid a release refuses: why checked mode exists, in one number.
#pragma once

#include <cstddef>

#include "quantmap/mapping/map.hpp"

namespace quantmap {

struct Acceptance {
  std::size_t asked = 0;     // four-field configs
  std::size_t refused = 0;   // of these, with an argument or a combination that the release refuses
  std::size_t launches = 0;  // different launches among them
};

// Judges the documented output of every four-field config on a release, by its parser and its rules.
[[nodiscard]] Acceptance documented_acceptance(const Engine& engine, const Deployment& deployment,
                                               const ModelQuantization& model);

}  // namespace quantmap
