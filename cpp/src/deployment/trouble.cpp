#include "quantmap/deployment/trouble.hpp"

#include <algorithm>

#include "quantmap/catalog/codes.hpp"

namespace quantmap {

namespace {

bool holds(const Trouble& trouble, const Deployment& deployment, const EffectiveValues& values) {
  const Constraint& rule = trouble.rule;
  const std::uint64_t section = deployment.facts == nullptr ? 0 : deployment.facts->quantization.section;
  return covers(rule.since, rule.until, deployment.release) && is_about(rule, deployment) &&
         (section & trouble.section) == trouble.section &&
         is_of_type(trouble.types, trouble.other_types, deployment.facts) && is_met(rule, values);
}

// The argument at which it is told: one that it is about, and that is not refused already.
std::size_t place_of(const Trouble& trouble, const Given& given, const std::vector<Verdict>& verdicts) {
  for (const RuleTerm& term : trouble.rule.terms) {
    const std::size_t by = given.by[term.target];
    if (by == kNotGiven) continue;
    const Judgement judgement = verdicts[by].judgement;
    if (judgement == Judgement::kAccepted || judgement == Judgement::kDeprecated) return by;
  }
  return kNotGiven;
}

}  // namespace

std::vector<const Trouble*> troubles_of(const Engine& engine, const Deployment& deployment, const TargetValues& given) {
  std::vector<const Trouble*> out;
  if (!deployment.checked) return out;
  const EffectiveValues values(engine, deployment, given);
  for (const Trouble& trouble : engine.troubles) {
    if (holds(trouble, deployment, values)) out.push_back(&trouble);
  }
  return out;
}

void report_trouble(const Engine& engine, const Deployment& deployment, const Trouble& trouble, Diagnostics& notes,
                    bool model_known) {
  const Constraint& rule = trouble.rule;
  WholeRefusal told = whole_refusal(engine, deployment.release, rule.stage, rule.text);
  if (rule.stage == Stage::kTrouble) told.code = Code::kKnownTrouble;
  if (rule.stage != Stage::kTrouble && (rule.assumed || !model_known)) told.code = Code::kMayNotServe;
  told.context.emplace_back("value", std::string(rule.evidence.empty() ? std::string_view() : rule.evidence.front()));
  if (!trouble.cure.empty()) told.context.insert(told.context.begin(), {"hint", std::string(trouble.cure)});
  notes.add(told.code, "$", std::move(told.context));
}

void judge_troubles(const Engine& engine, const Deployment& deployment, bool model_known, const Given& given,
                    std::vector<Verdict>& verdicts, Diagnostics& notes) {
  for (const Trouble* trouble : troubles_of(engine, deployment, given.values)) {
    const Constraint& rule = trouble->rule;
    if (looks_at_open(rule, given)) continue;
    const std::size_t by = place_of(*trouble, given, verdicts);
    if (by == kNotGiven) {
      report_trouble(engine, deployment, *trouble, notes, model_known);
      continue;
    }
    Verdict& verdict = verdicts[by];
    const bool certain = rule.stage == Stage::kTrouble || (model_known && !rule.assumed);
    verdict.judgement = certain ? judgement_of(rule.stage) : Judgement::kAssumed;
    verdict.reason = rule.text;
    verdict.hint = trouble->cure;
    verdict.evidence.assign(rule.evidence.begin(), rule.evidence.end());
  }
}

}  // namespace quantmap
