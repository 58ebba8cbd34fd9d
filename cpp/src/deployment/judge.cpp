// Verdicts on arguments together: rules, kernels, and what is put in place of something else.
#include <algorithm>
#include <optional>

#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/deployment/kernels.hpp"
#include "quantmap/deployment/verdict.hpp"

namespace quantmap {

std::optional<KernelReason> judge_kernels(const Engine& engine, const Deployment& deployment, const Given& given,
                                          bool named_only, std::vector<Verdict>& verdicts) {
  const KernelRoles& roles = engine.kernels.roles;
  for (const int role : {roles.attention, roles.kv, roles.dtype, roles.method, roles.experts}) {
    if (role >= 0 && in_mask(given.open, static_cast<std::size_t>(role))) return std::nullopt;
  }
  const auto refusal = refused_by_kernels(engine, deployment, given.values, given.apart);
  if (!refusal) return std::nullopt;
  const bool named = refusal->backend != nullptr || refusal->method != nullptr || refusal->experts != nullptr;
  if (named_only && !named) return std::nullopt;
  KernelReason reason = reason_of(engine, deployment, given.values, *refusal);
  if (refusal->target == kWholeLaunch || given.by[refusal->target] == kNotGiven) return reason;
  Verdict& verdict = verdicts[given.by[refusal->target]];
  if (is_refusal(verdict.judgement)) return std::nullopt;
  verdict.judgement = refusal->assumed ? Judgement::kAssumed : judgement_of(refusal->stage);
  verdict.reason = std::move(reason.text);
  verdict.evidence = std::move(reason.evidence);
  return std::nullopt;
}

void tell_replaced(const EffectiveValues& values, const Given& given, std::vector<Verdict>& verdicts) {
  const Meaning* meaning = values.replaced();
  if (meaning == nullptr || given.by[meaning->target] == kNotGiven) return;
  Verdict& verdict = verdicts[given.by[meaning->target]];
  if (is_refusal(verdict.judgement)) return;
  verdict.judgement = Judgement::kNoEffect;
  verdict.reason = std::string(meaning->text) + ": " + std::string(meaning->means) + " is taken";
  verdict.evidence.assign(meaning->evidence.begin(), meaning->evidence.end());
}

namespace {

void tell(const Constraint& rule, Verdict& verdict) {
  if (is_settled(verdict, rule)) return;
  verdict.judgement = judgement_of(rule.stage);
  verdict.reason = rule.text;
  verdict.evidence.assign(rule.evidence.begin(), rule.evidence.end());
}

std::vector<Verdict> judge_all(const Engine& engine, const Deployment& deployment,
                               const std::vector<Argument>& arguments, bool alone, VerdictsKept* kept) {
  std::vector<Verdict> out = judge_each(engine, deployment, arguments, false, kept);
  for (const Given& given : given_values(engine, deployment, out)) {
    const EffectiveValues values(engine, deployment, given.values, given.apart);
    for (const Constraint& rule : engine.checked.rules) {
      if (!holds_here(rule, deployment)) continue;
      if (rule.terms.empty() || (alone && !is_about_one(rule)) || !is_met(rule, values)) continue;
      for (const RuleTerm& term : rule.terms) {
        if (given.by[term.target] != kNotGiven) tell(rule, out[given.by[term.target]]);
      }
    }
    tell_replaced(values, given, out);
    static_cast<void>(judge_kernels(engine, deployment, given, alone, out));
  }
  return out;
}

}  // namespace

std::vector<Verdict> judge(const Engine& engine, const Deployment& deployment, const std::vector<Argument>& arguments,
                           VerdictsKept* kept) {
  return judge_all(engine, deployment, arguments, false, kept);
}

Verdict judge_alone(const Engine& engine, const Deployment& deployment, const Argument& argument) {
  return std::move(judge_all(engine, deployment, {argument}, true, nullptr).front());
}

void report_refusals(const Engine& engine, const Deployment& deployment, const std::vector<Verdict>& verdicts,
                     const std::vector<Argument>& arguments, Diagnostics& out) {
  const std::string version(engine.surface.releases[deployment.release].version);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const Verdict& verdict = verdicts[i];
    if (!is_refusal(verdict.judgement)) continue;
    const std::string path =
        (arguments[i].from == kNoField ? "user_parameters[" : "arguments[") + quote(verdict.flag) + "]";
    Code code = Code::kRefusedAtStart;
    if (verdict.judgement == Judgement::kUnknownFlag) code = Code::kArgumentUnknown;
    if (verdict.judgement == Judgement::kValueNotAccepted) code = Code::kValueNotAccepted;
    if (verdict.judgement == Judgement::kFailsLater) code = Code::kFailsLater;
    out.add(code, path,
            {{"engine", std::string(engine.name)},
             {"version", version},
             {"key", verdict.flag},
             {"value", code == Code::kArgumentUnknown ? verdict.flag : quote(verdict.value)},
             {"with", "with " + verdict.flag + " " + quote(verdict.value)},
             {"reason", verdict.reason},
             {"hint", verdict.hint}});
  }
}

}  // namespace quantmap
