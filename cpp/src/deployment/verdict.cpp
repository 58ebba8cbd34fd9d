#include "quantmap/deployment/verdict.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>
#include <optional>

#include "deployment/hints.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/deployment/kernels.hpp"
#include "quantmap/release/flag_value.hpp"

namespace quantmap {

namespace {

constexpr std::size_t kShownChoices = 30;

std::string choices_of(const FlagInterval& flag) {
  const auto shown = flag.choices.part(0, kShownChoices);
  return join(shown) + (shown.size() < flag.choices.size() ? ", ..." : "");
}

class Judge {
 public:
  Judge(const Engine& engine, const Deployment& deployment, bool literal)
      : engine_(engine), surface_(engine.surface), deployment_(deployment), literal_(literal) {
    release_ = std::string(engine.name) + " " + std::string(surface_.releases[deployment.release].version);
    evidence_ = std::string(surface_.releases[deployment.release].artifact) + " (server arguments)";
  }

  Verdict one(const Argument& argument) const {
    Verdict out = given(argument);
    if (!argument.perhaps) return out;
    out.open = true;
    out.judgement = Judgement::kAssumed;
    out.reason = "a branch of the script adds it" + (out.reason.empty() ? "" : ": " + out.reason);
    return out;
  }

 private:
  Verdict given(const Argument& argument) const {
    Verdict out;
    out.flag = argument.flag;
    out.value = to_text(argument.value);
    if (argument.kind == ChannelKind::kEnv) {
      out.canonical = argument.flag;
      const bool known = has_variable(surface_, argument.flag, deployment_.release);
      return known ? worn_variable(std::move(out)) : unknown_variable(std::move(out));
    }
    const std::string base = argument.flag.substr(0, argument.flag.find('.'));
    std::optional<KnownFlag> known = literal_ && !engine_.equates_dashes
                                         ? find_flag(surface_, base, deployment_.release)
                                         : find_spelling(surface_, base, deployment_.release);
    if (!known && literal_) known = find_rewritten(engine_, base, deployment_.release);
    if (!known && engine_.abbreviates) {
      known = find_abbreviated(base);
      if (known) out.reason = "abbreviates " + std::string(known->history->name);
    }
    if (!known) return unknown_flag(std::move(out), base);
    out.canonical = std::string(written_name(*known, base)) + argument.flag.substr(base.size());
    if (known->interval->refused) return unknown_flag(std::move(out), base);
    if (argument.open) {
      out.open = true;
      out.judgement = Judgement::kAssumed;
      out.reason = out.value.find('$') != std::string::npos ? "a shell puts the value in: it is not in the text"
                                                            : "the value is left open: it is not in the text";
      return out;
    }
    if (base.size() != argument.flag.size()) {
      return judge_key(*known, std::string_view(argument.flag).substr(base.size() + 1), std::move(out));
    }
    return deprecate(*known, judge_value(*known->interval, argument, std::move(out)));
  }

  // The only flag of the release that begins so, as argparse takes it (allow_abbrev).
  std::optional<KnownFlag> find_abbreviated(const std::string& start) const {
    std::optional<KnownFlag> found;
    if (start.size() < 3 || start.compare(0, 2, "--") != 0) return found;
    for (const FlagHistory& history : surface_.flags) {
      const FlagInterval* interval = interval_at(history, deployment_.release);
      if (interval == nullptr) continue;
      bool begins = history.name.substr(0, start.size()) == start;
      for (const std::string_view alias : interval->aliases) begins |= alias.substr(0, start.size()) == start;
      if (!begins) continue;
      if (found) return std::nullopt;
      found = KnownFlag{&history, interval};
    }
    return found;
  }

  Verdict refusal(Verdict out, Judgement judgement, std::string reason, std::string hint) const {
    out.judgement = judgement;
    out.reason = std::move(reason);
    out.hint = std::move(hint);
    out.evidence = {evidence_};
    return out;
  }

  // What works still, and will not.
  Verdict deprecate(const KnownFlag& known, Verdict out) const {
    if (!known.interval->deprecated || out.judgement != Judgement::kAccepted) return out;
    out.judgement = Judgement::kDeprecated;
    out.reason = release_ + " takes it still, as deprecated";
    const std::uint16_t until = known.history->intervals.back().until;
    if (until < surface_.releases.size())
      out.reason += "; it goes with " + std::string(surface_.releases[until].version);
    const std::string_view use = successor_of(surface_, *known.history, deployment_.release);
    if (!use.empty()) out.hint = with_verb(use);
    out.evidence = {evidence_};
    return out;
  }

  // The flag by which this release takes what the variable sets; empty when there is none.
  std::string_view flag_beside(std::string_view variable) const {
    for (const Target& target : engine_.checked.targets) {
      const bool is_it = std::any_of(target.routes.begin(), target.routes.end(), [variable](const Channel& route) {
        return route.kind == ChannelKind::kEnv && route.name == variable;
      });
      if (!is_it) continue;
      for (const Channel& route : target.routes) {
        if (route.kind == ChannelKind::kFlag && find_flag(surface_, route.name, deployment_.release)) return route.name;
      }
    }
    return {};
  }

  // A variable that a flag has taken the place of, and that a later release does not read any more.
  Verdict worn_variable(Verdict out) const {
    const std::string_view flag = flag_beside(out.flag);
    const auto& all = surface_.variables;
    const auto it = std::find_if(all.begin(), all.end(), [&](const Variable& variable) {
      return variable.name == out.flag && covers(variable.since, variable.until, deployment_.release);
    });
    if (flag.empty() || it == all.end() || it->until >= surface_.releases.size()) return out;
    out.judgement = Judgement::kDeprecated;
    out.reason = release_ + " reads it still; it goes with " + std::string(surface_.releases[it->until].version);
    out.hint = "write " + std::string(flag);
    out.evidence = {evidence_};
    return out;
  }

  Verdict unknown_variable(Verdict out) const {
    if (const std::string name = new_variable_name(engine_, out.flag, deployment_.release); !name.empty()) {
      out.judgement = Judgement::kDeprecated;
      out.reason = release_ + " takes it for " + name + ", with a warning";
      out.hint = "write " + name;
      out.evidence = {evidence_};
      return out;
    }
    const std::string_view flag = flag_beside(out.flag);
    std::string hint;
    if (!flag.empty()) hint = "write " + std::string(flag);
    std::string reason = release_ + " does not read this variable";
    reason += variable_history(surface_, out.flag, deployment_.release);
    out.unset = true;
    return refusal(std::move(out), Judgement::kNoEffect, std::move(reason), std::move(hint));
  }

  // The last release before this one that takes a spelling.
  std::optional<std::string> last_with(const FlagHistory& history, std::string_view flag) const {
    std::optional<std::string> out;
    for (const FlagInterval& interval : history.intervals) {
      const bool has = history.name == flag ||
                       std::find(interval.aliases.begin(), interval.aliases.end(), flag) != interval.aliases.end();
      if (has && interval.until <= deployment_.release) out = surface_.releases[interval.until - 1U].version;
    }
    return out;
  }

  Verdict unknown_flag(Verdict out, const std::string& flag) const {
    if (literal_ && !engine_.equates_dashes) {
      if (const std::string other = other_dashes(surface_, flag, deployment_.release); !other.empty()) {
        return refusal(std::move(out), Judgement::kUnknownFlag,
                       release_ + " has no " + flag + ": its parser tells dashes from underscores", "write " + other);
      }
    }
    const auto& never = surface_.never;
    const bool listed = surface_.releases[deployment_.release].whole ||
                        std::find(never.begin(), never.end(), std::string_view(flag)) != never.end();
    if (!listed) {
      out.judgement = Judgement::kAssumed;
      out.reason = "the flags of " + release_ + " are not all known";
      return out;
    }
    std::string reason = release_ + " has no " + flag;
    std::string hint;
    const FlagHistory* history = find_history(surface_, flag);
    if (history != nullptr) {
      const std::string when = history_words(surface_, *history, flag, deployment_.release);
      if (!when.empty()) reason += " (" + when + ")";
      if (const auto last = last_with(*history, flag)) reason += "; " + *last + " was the last to take it";
    }
    if (const std::string_view instead = instead_of(engine_, flag, std::nullopt); !instead.empty()) {
      hint = std::string(instead);
    } else if (history != nullptr) {
      const std::string_view use = successor_of(surface_, *history, deployment_.release);
      if (!use.empty()) hint = with_verb(use);
    } else {  // else the word is spelt right, and only the release is another
      std::vector<std::string_view> names;
      for (const FlagHistory& known : surface_.flags) {
        if (interval_at(known, deployment_.release) != nullptr) names.push_back(known.name);
      }
      hint = did_you_mean(flag, names);
    }
    return refusal(std::move(out), Judgement::kUnknownFlag, std::move(reason), std::move(hint));
  }

  // Words too many or too few; nothing when their number is right.
  std::optional<Verdict> count_problem(const FlagInterval& flag, bool bare, const Verdict& out) const {
    const bool many = flag.arity == Arity::kMany;
    if (bare && (many || flag.arity == Arity::kOne)) {
      const std::string wanted = many ? "at least one argument" : "one argument";
      return refusal(out, Judgement::kValueNotAccepted, release_ + " expected " + wanted,
                     flag.choices_known ? "write one of " + choices_of(flag) : "write a value behind it");
    }
    if (bare || flag.arity != Arity::kNone) return std::nullopt;
    return refusal(out, Judgement::kValueNotAccepted, release_ + " takes no value here: it is a switch",
                   switch_alone(surface_, out.canonical, out.value, deployment_.release));
  }

  Verdict refused_value(const ValueProblem& problem, Verdict out) const {
    out = refusal(std::move(out), problem.at_start ? Judgement::kRefusedAtStart : Judgement::kValueNotAccepted,
                  release_ + " " + problem.reason, problem.hint);
    if (problem.assumed) out.judgement = Judgement::kAssumed;
    return out;
  }

  // A key of a JSON value that is written behind a dot.
  Verdict judge_key(const KnownFlag& known, std::string_view key, Verdict out) const {
    const FlagInterval& flag = *known.interval;
    if (flag.type == FlagType::kUnknown) return out;
    if (!covers(surface_.dotted.since, surface_.dotted.until, deployment_.release)) {
      return refusal(std::move(out), Judgement::kUnknownFlag, release_ + " takes no key behind a dot",
                     "write " + std::string(known.history->name) + " with JSON");
    }
    // Keys make JSON of the value: a text may be that.
    if (flag.type == FlagType::kStr) return out;
    if (flag.type != FlagType::kJson) {
      return refusal(std::move(out), Judgement::kValueNotAccepted,
                     release_ + " has no keys in " + std::string(known.history->name), "");
    }
    const auto problem = key_problem(flag, key.substr(0, key.find('.')));
    return problem ? refused_value(*problem, std::move(out)) : out;
  }

  Verdict judge_value(const FlagInterval& flag, const Argument& argument, Verdict out) const {
    const bool bare = std::holds_alternative<bool>(argument.value);
    if (literal_) {
      if (auto wrong = count_problem(flag, bare, out)) return std::move(*wrong);
    }
    if (!flag.choices_known) {
      const auto problem = bare ? std::nullopt : value_problem(flag, out.value);
      if (problem) return refused_value(*problem, std::move(out));
      if (flag.type == FlagType::kUnknown) {
        out.judgement = Judgement::kAssumed;
        out.reason = "what " + release_ + " takes here is not known";
      }
      return out;
    }
    if (means_none(flag, out.value)) {
      out.unset = true;
      return out;
    }
    if (bare || accepts(flag, out.value)) return out;
    const Judgement judgement = flag.checked_at_start ? Judgement::kRefusedAtStart : Judgement::kValueNotAccepted;
    const std::string value = out.value;
    const std::string_view instead = instead_of(engine_, out.canonical, value);
    const std::string hint = instead.empty() ? did_you_mean(value, flag.choices) : std::string(instead);
    return refusal(std::move(out), judgement,
                   release_ + " does not accept " + quote(value) + "; accepted: " + choices_of(flag), hint);
  }

  const Engine& engine_;
  const ArgumentSchema& surface_;
  const Deployment& deployment_;
  bool literal_;
  std::string release_;
  std::string evidence_;
};

}  // namespace

std::string_view name_of(Judgement judgement) noexcept {
  constexpr std::string_view kNames[] = {"accepted",         "unknown-flag", "value-not-accepted",
                                         "refused-at-start", "fails-later",  "no-effect",
                                         "assumed",          "deprecated",   "known-trouble"};
  return kNames[static_cast<std::size_t>(judgement)];
}

bool is_refusal(Judgement judgement) noexcept {
  return judgement == Judgement::kUnknownFlag || judgement == Judgement::kValueNotAccepted ||
         judgement == Judgement::kRefusedAtStart || judgement == Judgement::kFailsLater;
}

Judgement judgement_of(Stage stage) noexcept {
  if (stage == Stage::kNoEffect) return Judgement::kNoEffect;
  if (stage == Stage::kTrouble) return Judgement::kKnownTrouble;
  return stage == Stage::kStart ? Judgement::kRefusedAtStart : Judgement::kFailsLater;
}

namespace {

// What the parser's verdict on an argument depends on.
std::string question_of(const Argument& argument) {
  const char* kind = argument.kind == ChannelKind::kEnv             ? "\1"
                     : std::holds_alternative<bool>(argument.value) ? "\2"
                                                                    : "\3";
  return argument.flag + kind + to_text(argument.value);
}

}  // namespace

std::vector<Verdict> judge_each(const Engine& engine, const Deployment& deployment,
                                const std::vector<Argument>& arguments, bool literal, VerdictsKept* kept) {
  const Judge judge_one(engine, deployment, literal);
  std::vector<Verdict> out;
  out.reserve(arguments.size());
  for (const Argument& argument : arguments) {
    if (kept == nullptr || literal || argument.open || argument.perhaps) {
      out.push_back(judge_one.one(argument));
      continue;
    }
    std::string question = question_of(argument);
    std::shared_ptr<const Verdict> found = kept->find(question);
    if (found == nullptr) found = kept->keep(std::move(question), std::make_shared<Verdict>(judge_one.one(argument)));
    out.push_back(*found);
  }
  return out;
}

}  // namespace quantmap
