#include "mapping/narrate.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/config/method.hpp"

namespace quantmap {

namespace {

std::string path_of(const Field& field) { return "$." + dotted_key(field); }

// A refusal in words.
struct Said {
  Code code = Code::kDropped;
  std::string reason;
  std::vector<std::string> evidence;
  bool assumed = false;
  Stage stage = Stage::kStart;
};

// As it would be typed; of a file only its name, once.
std::string typed(const std::vector<Emitted>& emitted) {
  std::string out;
  std::string_view last_file;
  for (const Emitted& item : emitted) {
    const bool in_file = item.kind == ChannelKind::kFile;
    if (in_file && item.name == last_file) continue;
    if (!out.empty()) out += " ";
    if (in_file) {
      last_file = item.name;
      out += "the file " + item.name;
    } else {
      out += item.place() + (item.kind == ChannelKind::kFlag ? " " : "=") + to_text(item.value);
    }
  }
  return out;
}

class Narrator {
 public:
  Narrator(const ModelQuantization& model, Wording wording, Mapping& out)
      : config_(out.config),
        engine_(*out.engine),
        deployment_(out.deployment),
        model_(model),
        worded_(wording == Wording::kFull),
        out_(out) {
    if (deployment_.checked) release_ = engine_.surface.releases[deployment_.release].version;
  }

  void tell(const Mapped& mapped) {
    out_.decisions.reserve(mapped.steps.size());
    if (mapped.not_served) return tell_not_served(mapped.steps, said(*mapped.not_served));
    for (const Step& step : mapped.steps) {
      if (worded_) {
        tell(step);
      } else {
        out_.decisions.push_back(begun(step));
      }
    }
  }

 private:
  Decision begun(const Step& step) const {
    Decision decision;
    decision.field = step.field;
    decision.asked = config_[step.field].present;
    decision.outcome = step.outcome;
    if (worded_) decision.value = spelled(step.field, step.asked);
    return decision;
  }

  void tell_not_served(const std::vector<Step>& steps, const Said& why) {
    const WholeRefusal whole = whole_refusal(engine_, deployment_.release, why.stage, why.reason);
    for (const Step& step : steps) {
      Decision decision = begun(step);
      decision.evidence = why.evidence;
      decision.assumed = why.assumed;
      decision.why = {whole.code, path_of(field_info(step.field)), whole.context};
      out_.decisions.push_back(std::move(decision));
    }
    out_.diagnostics.add(whole.code, "$", whole.context);
  }

  void tell(const Step& step) {
    Decision decision = begun(step);
    decision.emitted = step.emitted;
    for (const Replaced& replaced : step.replaced) give_way(replaced.earlier, step, step.emitted[replaced.by]);
    const std::optional<Diagnostic> falls_back = fall_back(step, decision);
    if (step.row == nullptr) {  // the linter proves that this does not happen
      decision.why = words(Code::kDropped, decision, "the catalogue has no row for it");
    } else {
      explain(step, decision);
    }
    if (falls_back && decision.why.text().severity == Severity::kInfo) decision.why = *falls_back;
    out_.decisions.push_back(std::move(decision));
  }

  std::optional<Diagnostic> fall_back(const Step& step, const Decision& decision) {
    if (step.chain.empty()) return std::nullopt;
    std::string chain;
    for (const std::string_view name : step.chain) chain += (chain.empty() ? "" : " -> ") + std::string(name);
    Diagnostic out{Code::kMethodFallsBack,
                   path_of(field_info(step.field)),
                   {{"engine", std::string(engine_.name)}, {"value", decision.value}, {"chain", chain}}};
    out_.diagnostics.add(out.code, out.path, out.context);
    return out;
  }

  // The catalogue's own words for what was taken, else why something else was refused.
  void explain(const Step& step, Decision& decision) {
    const Code code = step.taken == nullptr ? Code::kDropped : step.taken->code;
    std::string reason(step.taken == nullptr ? std::string_view() : step.taken->why);
    decision.evidence.assign(step.row->evidence.begin(), step.row->evidence.end());
    bool told = false;
    if (step.refusal.reason != Refusal::Reason::kNone) {
      const Said refusal = said(step.refusal);
      decision.assumed = refusal.assumed;
      if (reason.empty()) reason = refusal.reason;
      decision.evidence.insert(decision.evidence.end(), refusal.evidence.begin(), refusal.evidence.end());
      if (refusal.code == Code::kNeedsExplain) {
        Diagnostic needs = words(refusal.code, decision, refusal.reason);
        out_.diagnostics.add(needs.code, path_of(field_info(step.field)), std::move(needs.context));
        told = code == Code::kDropped;
      }
    }
    decision.why = words(code, decision, std::move(reason));
    if (decision.why.text().severity == Severity::kWarning && !told) {
      out_.diagnostics.add_once(decision.why.code, decision.why.path, decision.why.context);
    }
  }

  // An earlier field's argument is replaced: its decision says so.
  void give_way(FieldId earlier, const Step& step, const Emitted& by) {
    const std::string name = by.place();
    for (Decision& decision : out_.decisions) {
      if (decision.field != earlier) continue;
      std::erase_if(decision.emitted, [&name](const Emitted& item) { return item.place() == name; });
      const Field& field = field_info(earlier);
      decision.outcome = Outcome::kReplaced;
      decision.why = {Code::kReplacedByField,
                      path_of(field),
                      {{"label", std::string(field.label)},
                       {"value", decision.value},
                       {"key", dotted_key(field_info(step.field))},
                       {"emitted", name + " " + to_text(by.value)}}};
    }
  }

  Said said(const Refusal& refusal) const {
    using Reason = Refusal::Reason;
    switch (refusal.reason) {
      case Reason::kNoRoute: return unknown_target(*refusal.target);
      case Reason::kRouteClosed: {
        const std::string_view what = refusal.route->kind == ChannelKind::kEnv ? "variable " : "file ";
        return {Code::kNeedsExplain, "it needs the " + std::string(what) + std::string(refusal.route->name), {}};
      }
      case Reason::kNotAccepted:
        return {Code::kDropped,
                std::string(engine_.name) + " " + std::string(release_) + " does not accept " +
                    std::string(refusal.route->name) + " " + refusal.value,
                {surface_evidence()}};
      case Reason::kKernel: {
        KernelReason why = reason_of(engine_, deployment_, refusal.values, refusal.kernel);
        return {Code::kDropped, std::move(why.text), std::move(why.evidence), false, refusal.kernel.stage};
      }
      case Reason::kRule:
        return {Code::kDropped,
                std::string(refusal.rule->text),
                {refusal.rule->evidence.begin(), refusal.rule->evidence.end()},
                refusal.rule->assumed,
                refusal.rule->stage};
      case Reason::kNone: break;
    }
    return {};
  }

  std::string surface_evidence() const {
    return std::string(engine_.surface.releases[deployment_.release].artifact) + " (server arguments)";
  }

  // The target by the route that a release had first: that is the one to tell about.
  Said unknown_target(const Target& target) const {
    const Channel* first = &target.routes.front();
    const FlagHistory* history = nullptr;
    for (const Channel& route : target.routes) {
      if (route.flag < 0) continue;
      const FlagHistory& other = engine_.surface.flags[static_cast<std::size_t>(route.flag)];
      if (history != nullptr && history->intervals.front().since <= other.intervals.front().since) continue;
      history = &other;
      first = &route;
    }
    const std::string_view name = first->kind == ChannelKind::kFile ? first->through : first->name;
    std::string reason = std::string(engine_.name) + " " + std::string(release_) + " has no " + std::string(name);
    if (history != nullptr) {
      const std::string when = history_words(engine_.surface, *history, history->name, deployment_.release);
      if (!when.empty()) reason += " (" + when + ")";
    }
    return {Code::kDropped, reason, {surface_evidence()}};
  }

  // What a code's text may speak of.
  Diagnostic words(Code code, const Decision& decision, std::string reason) const {
    const Field& field = field_info(decision.field);
    const bool four = config_.form == Form::kFourField;
    const bool by_model = code == Code::kIgnoredModelQuantized || code == Code::kFollowsQuantizedModel;
    std::string path = code == Code::kMoeSectionIgnored ? "$." + std::string(field.section) : path_of(field);
    Context context{
        {"label", std::string(field.label)},
        {"key", dotted_key(field)},
        {"value", code == Code::kFp8VariantUnsupported ? spelled(FieldId::kFp8Variant, config_[FieldId::kFp8Variant])
                                                       : decision.value},
        {"engine", std::string(engine_.name)},
        {"gemm", four ? spelled(FieldId::kGemm, effective(config_, FieldId::kGemm)) : std::string()},
        {"method", four || by_model ? model_.method : spelled(FieldId::kMethod, effective(config_, FieldId::kMethod))},
        {"emitted", typed(decision.emitted)},
        {"version", std::string(release_)}};
    context.emplace_back(code == Code::kNeedsExplain ? "route" : "reason", std::move(reason));
    return {code, std::move(path), std::move(context)};
  }

  const Config& config_;
  const Engine& engine_;
  const Deployment& deployment_;
  const ModelQuantization& model_;
  const bool worded_;
  Mapping& out_;
  std::string_view release_;
};

}  // namespace

void narrate(const Mapped& mapped, const ModelQuantization& model, Wording wording, Mapping& out) {
  Narrator(model, wording, out).tell(mapped);
}

}  // namespace quantmap
