#include "quantmap/mapping/map.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>
#include <optional>

#include "quantmap/base/text.hpp"
#include "quantmap/config/method.hpp"
#include "quantmap/mapping/choose.hpp"
#include "quantmap/mapping/render.hpp"

namespace quantmap {

namespace {

std::string path_of(const Field& field) { return "$." + dotted_key(field); }

// Why a candidate was passed over.
struct Refusal {
  Code code = Code::kDropped;
  std::string reason;
  std::vector<std::string> evidence;
  bool assumed = false;
};

// Maps one config: holds what the rows may look at, and collects what they emit.
class Evaluator {
 public:
  Evaluator(const ModelQuantization& model, Wording wording, Mapping& out)
      : config_(out.config),
        engine_(*out.engine),
        deployment_(out.deployment),
        chooser_(engine_, deployment_),
        rows_(chooser_.rows()),
        model_(model),
        worded_(wording == Wording::kFull),
        out_(out) {
    out_.values.assign(rows_.targets.size(), {});
    if (deployment_.checked) release_ = engine_.surface.releases[deployment_.release].version;
  }

  void run() {
    const Constraint* nothing = deployment_.checked ? nothing_served(engine_, deployment_) : nullptr;
    if (nothing != nullptr) return cannot_serve(refusal_of(*nothing));
    const Diagnostics before = out_.diagnostics;
    const auto& order = engine_.order[static_cast<std::size_t>(config_.form)];
    out_.decisions.reserve(config_.form == Form::kFourField ? order.size() : 0);
    out_.arguments.reserve(out_.decisions.capacity());
    for (const FieldId field : order) {
      if (const Setting setting = effective(config_, field); setting.present) map_field(field_info(field), setting);
    }
    const std::optional<Refusal> left = deployment_.checked ? left_refused() : std::nullopt;
    if (!left) return;
    out_.diagnostics = before;
    out_.decisions.clear();
    out_.arguments.clear();
    out_.values.assign(rows_.targets.size(), {});
    cannot_serve(*left);
  }

 private:
  static Refusal refusal_of(const Constraint& rule) {
    return {Code::kDropped, std::string(rule.text), {rule.evidence.begin(), rule.evidence.end()}, rule.assumed};
  }

  Refusal refusal_of(const TargetValues& values, const KernelRefusal& refusal) const {
    KernelReason reason = reason_of(engine_, deployment_, values, refusal);
    return {Code::kDropped, std::move(reason.text), std::move(reason.evidence)};
  }

  // What the model itself asks for, when no row has anything to set against it.
  std::optional<Refusal> left_refused() const {
    if (const Constraint* rule = refused_by(engine_, deployment_, out_.values)) return refusal_of(*rule);
    if (const auto refusal = refused_by_kernels(engine_, deployment_, out_.values)) {
      return refusal_of(out_.values, *refusal);
    }
    return std::nullopt;
  }

  Decision start(const Field& field, const Setting& asked) const {
    Decision decision;
    decision.field = field.field;
    decision.asked = config_[field.field].present;
    if (worded_) decision.value = spelled(field.field, asked);
    return decision;
  }

  void cannot_serve(const Refusal& refusal) {
    for (const FieldId id : engine_.order[static_cast<std::size_t>(config_.form)]) {
      const Setting setting = effective(config_, id);
      if (!setting.present) continue;
      const Field& field = field_info(id);
      Decision decision = start(field, setting);
      decision.outcome = Outcome::kCannotServe;
      decision.evidence = refusal.evidence;
      decision.assumed = refusal.assumed;
      decision.why = words(Code::kCannotServe, field, decision, refusal.reason);
      out_.decisions.push_back(std::move(decision));
    }
    out_.diagnostics.add(
        Code::kCannotServe, "$",
        {{"engine", std::string(engine_.name)}, {"version", std::string(release_)}, {"reason", refusal.reason}});
  }

  void map_field(const Field& field, const Setting& asked) {
    Decision decision = start(field, asked);
    Setting taken = asked;
    if (field.field == FieldId::kMethod) taken.number = take_method(field, decision.value);
    const Choice choice = chooser_.choose(config_, field, taken, out_.values);
    if (choice.row != nullptr) return apply(choice, field, taken, std::move(decision));
    decision.outcome = Outcome::kDropped;  // the linter proves that this does not happen
    decision.why = words(Code::kDropped, field, decision, "the catalogue has no row for it");
    out_.decisions.push_back(std::move(decision));
  }

  int take_method(const Field& field, const std::string& asked) {
    const MethodChoice choice = choose_method(config_, rows_);
    if (choice.chain.size() > 1) {
      std::string chain;
      for (const std::string_view name : choice.chain) chain += (chain.empty() ? "" : " -> ") + std::string(name);
      fallback_ = Diagnostic{Code::kMethodFallsBack,
                             path_of(field),
                             {{"engine", std::string(engine_.name)}, {"value", asked}, {"chain", chain}}};
      out_.diagnostics.add(fallback_->code, fallback_->path, fallback_->context);
    }
    return choice.option;
  }

  // Emits what was chosen; when every candidate was passed over, the field is dropped.
  void apply(const Choice& choice, const Field& field, const Setting& taken, Decision decision) {
    if (!worded_) return apply_silently(choice, field, taken, std::move(decision));
    const bool dropped = choice.candidate == nullptr || choice.candidate->outcome == Outcome::kDropped;
    const std::optional<Refusal> refusal = worded(dropped ? choice.last_refusal : choice.first_refusal);
    if (choice.candidate == nullptr) {
      decision.outcome = Outcome::kDropped;
      return conclude(Code::kDropped, {}, *choice.row, field, std::move(decision), refusal);
    }
    const Alternative& candidate = *choice.candidate;
    for (const Assignment& emission : candidate.emissions) emit(*choice.row, field, taken, emission, decision);
    decision.outcome = candidate.outcome;
    conclude(candidate.code, candidate.why, *choice.row, field, std::move(decision), refusal);
  }

  void apply_silently(const Choice& choice, const Field& field, const Setting& taken, Decision decision) {
    decision.outcome = choice.candidate == nullptr ? Outcome::kDropped : choice.candidate->outcome;
    if (choice.candidate != nullptr) {
      for (const Assignment& emission : choice.candidate->emissions)
        emit(*choice.row, field, taken, emission, decision);
    }
    out_.decisions.push_back(std::move(decision));
  }

  void conclude(Code code, std::string_view why, const MappingRule& row, const Field& field, Decision decision,
                const std::optional<Refusal>& refusal) {
    std::string reason(why);
    decision.evidence.assign(row.evidence.begin(), row.evidence.end());
    if (refusal) {
      decision.assumed = refusal->assumed;
      if (reason.empty()) reason = refusal->reason;
      decision.evidence.insert(decision.evidence.end(), refusal->evidence.begin(), refusal->evidence.end());
      if (refusal->code == Code::kNeedsExplain) {
        out_.diagnostics.add(refusal->code, path_of(field),
                             words(refusal->code, field, decision, refusal->reason).context);
      }
    }
    decision.why = words(code, field, decision, reason);
    const bool said = refusal && refusal->code == Code::kNeedsExplain && code == Code::kDropped;
    if (decision.why.text().severity == Severity::kWarning && !said) {
      out_.diagnostics.add_once(decision.why.code, decision.why.path, decision.why.context);
    }
    if (field.field == FieldId::kMethod && fallback_) {
      if (decision.outcome == Outcome::kApplied) decision.outcome = Outcome::kFallsBack;
      if (decision.why.text().severity == Severity::kInfo) decision.why = *fallback_;
    }
    out_.decisions.push_back(std::move(decision));
  }

  std::string surface_evidence() const {
    return std::string(engine_.surface.releases[deployment_.release].artifact) + " (server arguments)";
  }

  std::optional<Refusal> worded(const PassedOver& passed) const {
    using Reason = PassedOver::Reason;
    switch (passed.reason) {
      case Reason::kNone: return std::nullopt;
      case Reason::kNoRoute: return unknown_target(*passed.target);
      case Reason::kRouteClosed: {
        const bool variable = passed.route->kind == ChannelKind::kEnv;
        const std::string name(variable ? "it needs the variable " : "it needs the file ");
        return Refusal{Code::kNeedsExplain, name + std::string(passed.route->name), {}};
      }
      case Reason::kNotAccepted:
        return Refusal{Code::kDropped,
                       std::string(engine_.name) + " " + std::string(release_) + " does not accept " +
                           std::string(passed.route->name) + " " + passed.value,
                       {surface_evidence()}};
      case Reason::kKernel: return refusal_of(passed.values, passed.kernel);
      case Reason::kRule: break;
    }
    return refusal_of(*passed.rule);
  }

  // The target by the route that a release had first: that is the one to tell about.
  Refusal unknown_target(const Target& target) const {
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

  void emit(const MappingRule& row, const Field& field, const Setting& taken, const Assignment& emission,
            Decision& decision) {
    const Target& target = rows_.targets[emission.target];
    if (target.routes.empty()) {
      out_.values[emission.target] = Chooser::value_of(emission, field, taken);
      return;
    }
    const Channel& route = *chooser_.find_route(target);
    Argument argument;
    argument.flag = route.name;
    argument.kind = route.kind;
    argument.at = route.at;
    argument.through = route.through;
    argument.from = field.field;
    argument.is_null = emission.is_null;
    if (emission.asked && field.kind == FieldKind::kInteger) {
      argument.value = taken.number;
    } else {
      argument.value = Chooser::value_of(emission, field, taken);
    }
    for (const NeverAccepted& mark : row.never_accepted) {
      if (mark.target == emission.target) argument.instead = mark.instead;
    }
    out_.values[emission.target] = to_text(argument.value);
    if (worded_) decision.emitted.emplace_back(shown_name(argument), argument.value);
    const auto same = std::find_if(out_.arguments.begin(), out_.arguments.end(), [&](const Argument& other) {
      return other.flag == argument.flag && other.at == argument.at;
    });
    if (same == out_.arguments.end()) {
      out_.arguments.push_back(std::move(argument));
      return;
    }
    if (worded_ && same->value != argument.value) give_way(same->from, field, argument);
    *same = std::move(argument);
  }

  // A flag, a variable, or a place in a value or file as a JSON pointer fragment: "llm.yaml#/kv_cache_config/dtype".
  static std::string shown_name(const Argument& argument) {
    return argument.at.empty() ? argument.flag : argument.flag + "#" + std::string(argument.at);
  }

  // An earlier field's argument is replaced: its decision says so.
  void give_way(FieldId earlier, const Field& by, const Argument& argument) {
    for (Decision& decision : out_.decisions) {
      if (decision.field != earlier) continue;
      const std::string name = shown_name(argument);
      std::erase_if(decision.emitted, [&name](const auto& item) { return item.first == name; });
      const Field& field = field_info(earlier);
      decision.outcome = Outcome::kReplaced;
      decision.why = {Code::kReplacedByField,
                      path_of(field),
                      {{"label", std::string(field.label)},
                       {"value", decision.value},
                       {"key", dotted_key(by)},
                       {"emitted", name + " " + to_text(argument.value)}}};
    }
  }

  // What a decision emitted, as it would be typed; of a file only the name.
  static std::string emitted_words(const Decision& decision) {
    std::string out;
    std::string last_file;
    for (const auto& [name, value] : decision.emitted) {
      const std::size_t mark = name.find('#');
      const bool in_file = mark != std::string::npos && name.front() != '-';
      if (in_file && name.compare(0, mark, last_file) == 0 && !last_file.empty()) continue;
      if (!out.empty()) out += " ";
      if (in_file) {
        last_file = name.substr(0, mark);
        out += "the file " + last_file;
      } else {
        out += name + (name.front() == '-' ? " " : "=") + to_text(value);  // a flag, or a variable
      }
    }
    return out;
  }

  Diagnostic words(Code code, const Field& field, const Decision& decision, std::string reason) const {
    const std::string emitted = emitted_words(decision);
    const bool four = config_.form == Form::kFourField;
    std::string path = code == Code::kMoeSectionIgnored ? "$." + std::string(field.section) : path_of(field);
    Context context{{"label", std::string(field.label)},
                    {"key", dotted_key(field)},
                    {"value", decision.value},
                    {"engine", std::string(engine_.name)},
                    {"gemm", four ? spelled(FieldId::kGemm, effective(config_, FieldId::kGemm)) : std::string()},
                    {"method", four || code == Code::kIgnoredModelQuantized || code == Code::kFollowsQuantizedModel
                                   ? model_.method
                                   : spelled(FieldId::kMethod, effective(config_, FieldId::kMethod))},
                    {"emitted", emitted},
                    {"version", std::string(release_)}};
    if (code == Code::kFp8VariantUnsupported) {
      context[2].second = spelled(FieldId::kFp8Variant, config_[FieldId::kFp8Variant]);
    }
    context.emplace_back(code == Code::kNeedsExplain ? "route" : "reason", std::move(reason));
    return {code, std::move(path), std::move(context)};
  }

  const Config& config_;
  const Engine& engine_;
  const Deployment& deployment_;
  const Chooser chooser_;
  const RowSet& rows_;
  const ModelQuantization& model_;
  const bool worded_;
  Mapping& out_;
  std::string_view release_;
  std::optional<Diagnostic> fallback_;
};

}  // namespace

namespace {

Mapping evaluate(const Config& config, const Engine& engine, const ModelQuantization& model,
                 const Deployment& deployment, Wording wording) {
  Mapping out;
  out.engine = &engine;
  out.deployment = deployment;
  out.config = drop_unfit(config, out.diagnostics);
  Evaluator(model, wording, out).run();
  assemble(out);
  return out;
}

}  // namespace

Mapping map_config(const Config& config, const Engine& engine, const ModelQuantization& model, Deployment deployment,
                   Wording wording) {
  take_model(model, deployment);
  if (!deployment.checked || !deployment.arguments_only) return evaluate(config, engine, model, deployment, wording);
  // A file that the engine ships needs only its name: so look at the whole mapping first.
  deployment.arguments_only = false;
  Mapping whole = evaluate(config, engine, model, deployment, wording);
  const bool variables = std::any_of(whole.arguments.begin(), whole.arguments.end(),
                                     [](const Argument& argument) { return argument.kind == ChannelKind::kEnv; });
  if (whole.files.empty() && !variables) return whole;
  deployment.arguments_only = true;
  return evaluate(config, engine, model, deployment, wording);
}

void report_never_accepted(Mapping& mapping) {
  std::string list;
  for (const Argument& argument : mapping.arguments) {
    if (argument.instead.empty()) continue;
    if (!list.empty()) list += "; ";
    list += argument.flag + " " + to_text(argument.value) + " (it takes " + std::string(argument.instead) + ")";
  }
  if (list.empty()) return;
  mapping.diagnostics.add(Code::kNeverAccepted, "$", {{"engine", std::string(mapping.engine->name)}, {"list", list}});
}

std::vector<std::string> unsupported_by(const Config& config, const Engine& engine) {
  std::vector<std::string> out;
  for (const Unsupported& item : engine.unsupported) {
    if (item.field != kNoField) {
      const Setting setting = effective(config, item.field);
      if (is_one_of(field_info(item.field), setting, item.options)) {
        out.push_back("$." + dotted_key(field_info(item.field)));
      }
      continue;
    }
    const auto& sections = catalog().sections;
    for (std::size_t i = 0; i < sections.size(); ++i) {
      if (sections[i].id == item.section && ((config.sections >> i) & 1U) != 0) {
        out.push_back("$." + std::string(item.section));
      }
    }
  }
  return out;
}

}  // namespace quantmap
