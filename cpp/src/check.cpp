#include "quantmap/check.hpp"

#include <algorithm>

namespace quantmap {

namespace {

constexpr std::uint16_t kEveryGpu = 0xFFFF;

bool applies(const Situation& situation, const Rule& rule, bool any_gpu) {
  return in_mask(rule.checkpoints, situation.checkpoint) && in_mask(rule.models, situation.model) &&
         (any_gpu || in_mask(rule.gpus, situation.gpu)) && covers(rule.since, rule.until, situation.release);
}

}  // namespace

bool terms_hold(std::span<const RuleTerm> terms, const TargetValues& values) noexcept {
  return std::all_of(terms.begin(), terms.end(), [&values](const RuleTerm& term) {
    const std::string_view value = values[term.target];
    return std::find(term.values.begin(), term.values.end(), value) != term.values.end();
  });
}

const Rule* refused_by(const Engine& engine, const Situation& situation, const TargetValues& values, bool whole) {
  for (const Rule& rule : engine.checked.rules) {
    if (rule.terms.empty() != whole) continue;
    if (applies(situation, rule, false) && terms_hold(rule.terms, values)) return &rule;
  }
  return nullptr;
}

std::vector<const Rule*> conditional_rules(const Engine& engine, const Situation& situation,
                                           const TargetValues& values) {
  std::vector<const Rule*> out;
  if (situation.gpu != 0) return out;
  for (const Rule& rule : engine.checked.rules) {
    if (rule.gpus == kEveryGpu || !terms_hold(rule.terms, values)) continue;
    if (applies(situation, rule, true)) out.push_back(&rule);
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

std::vector<const Precision*> effective_precision(const Engine& engine, const Situation& situation,
                                                  const TargetValues& values) {
  std::vector<const Precision*> out;
  for (const Precision& row : engine.checked.precision) {
    const bool known =
        std::any_of(out.begin(), out.end(), [&row](const Precision* other) { return other->of == row.of; });
    if (known || !is_about(row, situation)) continue;
    if (terms_hold(row.terms, values) && covers(row.since, row.until, situation.release)) {
      out.push_back(&row);
    }
  }
  return out;
}

}  // namespace quantmap
