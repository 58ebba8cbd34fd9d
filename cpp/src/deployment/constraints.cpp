#include "quantmap/deployment/constraints.hpp"

#include <algorithm>

namespace quantmap {

namespace {

constexpr std::uint16_t kEveryGpu = 0xFFFF;

bool applies(const Deployment& deployment, const Constraint& rule, bool any_gpu) {
  return in_mask(rule.checkpoints, deployment.checkpoint) && in_mask(rule.models, deployment.model) &&
         (any_gpu || in_mask(rule.gpus, deployment.gpu)) && covers(rule.since, rule.until, deployment.release);
}

}  // namespace

bool terms_hold(std::span<const RuleTerm> terms, const TargetValues& values) noexcept {
  return std::all_of(terms.begin(), terms.end(), [&values](const RuleTerm& term) {
    const std::string_view value = values[term.target];
    return std::find(term.values.begin(), term.values.end(), value) != term.values.end();
  });
}

const Constraint* refused_by(const Engine& engine, const Deployment& deployment, const TargetValues& values,
                             bool whole) {
  for (const Constraint& rule : engine.checked.rules) {
    if (rule.terms.empty() != whole) continue;
    if (applies(deployment, rule, false) && terms_hold(rule.terms, values)) return &rule;
  }
  return nullptr;
}

std::vector<const Constraint*> conditional_rules(const Engine& engine, const Deployment& deployment,
                                                 const TargetValues& values) {
  std::vector<const Constraint*> out;
  if (deployment.gpu != 0) return out;
  for (const Constraint& rule : engine.checked.rules) {
    if (rule.gpus == kEveryGpu || !terms_hold(rule.terms, values)) continue;
    if (applies(deployment, rule, true)) out.push_back(&rule);
  }
  return out;
}

std::string gpu_names(std::uint16_t mask) {
  std::string out;
  const auto& classes = catalog().gpu_classes;
  for (std::size_t i = 1; i < classes.size(); ++i) {
    if (in_mask(mask, i)) out += (out.empty() ? "" : ", ") + std::string(classes[i].id);
  }
  return out;
}

std::vector<const Precision*> effective_precision(const Engine& engine, const Deployment& deployment,
                                                  const TargetValues& values) {
  std::vector<const Precision*> out;
  for (const Precision& row : engine.checked.precision) {
    const bool known =
        std::any_of(out.begin(), out.end(), [&row](const Precision* other) { return other->of == row.of; });
    if (known || !is_about(row, deployment)) continue;
    if (terms_hold(row.terms, values) && covers(row.since, row.until, deployment.release)) {
      out.push_back(&row);
    }
  }
  return out;
}

}  // namespace quantmap
