#include "quantmap/line_rules.hpp"

namespace quantmap {

void report_cannot_serve(const Engine& engine, const Situation& situation, Diagnostics& notes) {
  const TargetValues nothing(engine.checked.targets.size());
  const Rule* rule = refused_by(engine, situation, nothing, true);
  if (rule == nullptr) return;
  notes.add(Code::kCannotServe, "$",
            {{"engine", std::string(engine.name)},
             {"version", std::string(engine.surface.releases[situation.release].version)},
             {"reason", std::string(rule->text)}});
}

}  // namespace quantmap
