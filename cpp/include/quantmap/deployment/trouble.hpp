// Known trouble: what starts on some releases and then goes wrong, and what their loaders cannot load.
//
// Nothing here decides what is written. It is told of what was written, by quantmap or by somebody else.
#pragma once

#include <vector>

#include "quantmap/deployment/verdict.hpp"

namespace quantmap {

// What is known of these values here, in the catalogue's order. A condition about a GPU or a model that is not known
// does not hold.
[[nodiscard]] std::vector<const Trouble*> troubles_of(const Engine& engine, const Deployment& deployment,
                                                      const TargetValues& values);

// Told at the first argument that it is about and that nothing else is told of, else as a note on the launch. Of a
// model that is not known (`model_known`) nothing is refused for certain.
void judge_troubles(const Engine& engine, const Deployment& deployment, bool model_known, const Given& given,
                    std::vector<Verdict>& verdicts, Diagnostics& notes);

// As a note on a launch as a whole.
void report_trouble(const Engine& engine, const Deployment& deployment, const Trouble& trouble, Diagnostics& notes,
                    bool model_known = true);

}  // namespace quantmap
