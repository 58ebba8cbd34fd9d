#include "quantmap/deployment/constraints.hpp"

#include <algorithm>
#include <charconv>

#include "quantmap/catalog/codes.hpp"
#include "quantmap/deployment/model_facts.hpp"

namespace quantmap {

namespace {

// Whether the first `count` bits are all set; a mask of 32 has no more.
bool covers_all(std::uint32_t mask, std::size_t count) {
  const std::uint64_t all = (std::uint64_t{1} << count) - 1;
  return (mask & all) == all;
}

bool is_meant(const Meaning& meaning, const Deployment& deployment, std::string_view value) {
  return covers(meaning.since, meaning.until, deployment.release) && is_about(meaning, deployment) &&
         is_of_type(meaning.types, meaning.other_types, deployment.facts) &&
         std::find(meaning.values.begin(), meaning.values.end(), value) != meaning.values.end();
}

// A number of GPUs as written; 0 for what is no such number.
std::int64_t count_of(std::string_view text) {
  if (text.empty()) return 1;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

bool compares(Compared compared, std::string_view value, std::string_view other) {
  const std::int64_t number = count_of(value);
  const std::int64_t with = count_of(other);
  if (number <= 0 || with <= 0) return false;
  return compared == Compared::kDiffersFrom ? number != with : with % number != 0;
}

template <typename ValueOf>
bool all_hold(std::span<const RuleTerm> terms, ValueOf value_of) {
  return std::all_of(terms.begin(), terms.end(), [&value_of](const RuleTerm& term) {
    const std::string_view value = value_of(term.target);
    if ((std::find(term.values.begin(), term.values.end(), value) != term.values.end()) == term.others) return false;
    return term.compared == Compared::kNot || compares(term.compared, value, value_of(term.with));
  });
}

}  // namespace

EffectiveValues::EffectiveValues(const Engine& engine, const Deployment& deployment, const TargetValues& values,
                                 bool apart) {
  std::copy_n(values.begin(), std::min(values.size(), kMostTargets), given_.begin());
  std::size_t done = kMostTargets;  // the target of the last meaning that was taken
  for (const Meaning& meaning : engine.checked.meanings) {
    if (meaning.target == done || meaning.target >= values.size()) continue;
    if (!is_meant(meaning, deployment, values[meaning.target])) continue;
    if (!meaning.beside.empty() && (apart || !terms_hold(meaning.beside, *this))) continue;
    given_[meaning.target] = meaning.means;
    if (!meaning.text.empty()) replaced_ = &meaning;
    done = meaning.target;
  }
  for (const Constraint& rule : engine.checked.rules) {
    if (!rule.kept) break;  // they stand first
    if (!holds_here(rule, deployment) || !is_met(rule, *this)) continue;
    for (const RuleTerm& term : rule.terms) kept_ |= std::uint64_t{1} << term.target;
  }
}

Reach reach_of(const Constraint& rule, const Deployment& deployment, bool checkpoint_known) {
  if (!covers(rule.since, rule.until, deployment.release) || !is_about_model(rule, deployment)) return Reach::kNothing;
  if (deployment.gpu != 0) {
    if (!in_mask(rule.gpus, deployment.gpu)) return Reach::kNothing;
  } else if (!covers_all(rule.gpus, catalog().gpu_classes.size())) {
    if (in_mask(rule.gpus, 0)) return Reach::kUnnamedGpu;
    return rule.gpus != 0 ? Reach::kSomeGpus : Reach::kNothing;
  }
  const bool some = !checkpoint_known && !covers_all(rule.checkpoints, catalog().checkpoint_kinds.size());
  return some ? Reach::kSomeCheckpoints : Reach::kHere;
}

bool terms_hold(std::span<const RuleTerm> terms, const EffectiveValues& values) noexcept {
  return all_hold(terms, [&values](std::size_t target) { return values[target]; });
}

bool is_about_one(const Constraint& rule) noexcept {
  return rule.terms.size() == 1 && rule.terms.front().compared == Compared::kNot;
}

bool is_met(const Constraint& rule, const EffectiveValues& values) noexcept {
  if (!rule.kept && !rule.as_given) return terms_hold(rule.terms, values);
  return all_hold(rule.terms, [&values](std::size_t target) { return values.as_given(target); });
}

const Constraint* refused_by(const Engine& engine, const Deployment& deployment, const TargetValues& given,
                             std::uint64_t looks_at) {
  const EffectiveValues values(engine, deployment, given);
  for (const Constraint& rule : engine.checked.rules) {
    if (!holds_here(rule, deployment)) continue;  // most are of other releases, models or GPUs
    const bool looks = std::any_of(rule.terms.begin(), rule.terms.end(),
                                   [looks_at](const RuleTerm& term) { return in_mask(looks_at, term.target); });
    if (looks && is_met(rule, values)) return &rule;
  }
  return nullptr;
}

WholeRefusal whole_refusal(const Engine& engine, ReleaseNumber release, Stage stage, std::string_view reason) {
  Context context{{"engine", std::string(engine.name)},
                  {"version", std::string(engine.surface.releases[release].version)},
                  {"reason", std::string(reason)}};
  if (stage != Stage::kRun) return {Code::kCannotServe, std::move(context)};
  context.emplace_back("with", "whatever is asked");
  context.emplace_back("hint", "choose another release, checkpoint or GPU");
  return {Code::kFailsLater, std::move(context)};
}

bool refuses_whole(const Diagnostic& diagnostic) noexcept {
  return diagnostic.code == Code::kCannotServe || diagnostic.code == Code::kNeedsAnotherArgument ||
         (diagnostic.code == Code::kFailsLater && diagnostic.path == "$");
}

const Constraint* nothing_served(const Engine& engine, const Deployment& deployment) {
  const auto& rules = engine.checked.rules;
  const auto found = std::find_if(rules.begin(), rules.end(), [&deployment](const Constraint& rule) {
    return rule.terms.empty() && holds_here(rule, deployment);
  });
  return found == rules.end() ? nullptr : &*found;
}

std::vector<const Constraint*> conditional_rules(const Engine& engine, const Deployment& deployment,
                                                 const TargetValues& given) {
  std::vector<const Constraint*> out;
  const EffectiveValues values(engine, deployment, given);
  for (const Constraint& rule : engine.checked.rules) {
    const Reach reach = reach_of(rule, deployment);
    const bool open = reach == Reach::kSomeGpus || reach == Reach::kUnnamedGpu;
    if (open && is_met(rule, values)) out.push_back(&rule);
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
                                                  const TargetValues& given) {
  std::vector<const Precision*> out;
  const EffectiveValues values(engine, deployment, given);
  for (const Precision& row : engine.checked.precision) {
    if (!covers(row.since, row.until, deployment.release)) continue;  // most are of other releases
    const bool known =
        std::any_of(out.begin(), out.end(), [&row](const Precision* other) { return other->of == row.of; });
    if (known || !is_about(row, deployment) || !is_of_type(row.types, row.other_types, deployment.facts)) continue;
    if (terms_hold(row.terms, values)) out.push_back(&row);
  }
  return out;
}

}  // namespace quantmap
