#include "quantmap/mapping/map.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "mapping/narrate.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/config/method.hpp"
#include "quantmap/mapping/render.hpp"

namespace quantmap {

namespace {

// Maps one config field by field: what each comes to, and what decided it. No word is made here.
class Evaluator {
 public:
  Evaluator(const Config& config, const Engine& engine, const Deployment& deployment, const TargetValues* beside)
      : config_(config),
        engine_(engine),
        deployment_(deployment),
        beside_(beside),
        chooser_(engine_, deployment_),
        rows_(chooser_.rows()),
        values_(rows_.targets.size()) {}

  Mapped run() {
    if (deployment_.checked) {
      if (const Constraint* nothing = nothing_served(engine_, deployment_)) return not_served(Refusal::by(*nothing));
    }
    const auto& order = engine_.order[static_cast<std::size_t>(config_.form)];
    out_.steps.reserve(config_.form == Form::kFourField ? order.size() : 0);
    out_.arguments.reserve(out_.steps.capacity());
    for (const FieldId field : order) {
      const Setting setting = effective(config_, field);
      if (setting.present) out_.steps.push_back(step(field_info(field), setting));
    }
    std::optional<Refusal> left = deployment_.checked ? left_refused() : std::nullopt;
    if (left) return not_served(std::move(*left));
    out_.values = std::move(values_);
    return std::move(out_);
  }

 private:
  // Of a launch that cannot be, no field has a part.
  Mapped not_served(Refusal why) const {
    Mapped out;
    for (const FieldId field : engine_.order[static_cast<std::size_t>(config_.form)]) {
      const Setting setting = effective(config_, field);
      if (!setting.present) continue;
      out.steps.push_back({field, setting});
      out.steps.back().outcome = Outcome::kCannotServe;
    }
    out.values.resize(rows_.targets.size());
    out.not_served = std::move(why);
    return out;
  }

  // What the model itself asks for, when no row has anything to set against it.
  std::optional<Refusal> left_refused() const {
    TargetValues values = values_;
    for (std::size_t t = 0; beside_ != nullptr && t < values.size(); ++t) {
      if (!(*beside_)[t].empty()) values[t] = (*beside_)[t];
    }
    if (const Constraint* rule = refused_by(engine_, deployment_, values)) return Refusal::by(*rule);
    const auto kernels = refused_by_kernels(engine_, deployment_, values);
    return kernels ? std::optional(Refusal::by(*kernels, std::move(values))) : std::nullopt;
  }

  Step step(const Field& field, const Setting& asked) {
    Step out{field.field, asked};
    Setting taken = asked;
    if (field.field == FieldId::kMethod) {
      MethodChoice choice = choose_method(config_, rows_);
      taken.number = choice.option;
      if (choice.chain.size() > 1) out.chain = std::move(choice.chain);
    }
    Choice choice = chooser_.choose(config_, field, taken, values_);
    out.row = choice.row;
    out.taken = choice.candidate;
    out.outcome = choice.candidate == nullptr ? Outcome::kDropped : choice.candidate->outcome;
    out.refusal = std::move(out.outcome == Outcome::kDropped ? choice.last_refusal : choice.first_refusal);
    if (choice.candidate == nullptr) return out;
    for (const Assignment& emission : choice.candidate->emissions) emit(field, taken, emission, out);
    if (!out.chain.empty() && out.outcome == Outcome::kApplied) out.outcome = Outcome::kFallsBack;
    return out;
  }

  void emit(const Field& field, const Setting& taken, const Assignment& emission, Step& step) {
    const Target& target = rows_.targets[emission.target];
    std::string value = Chooser::value_of(emission, field, taken);
    if (target.routes.empty()) {
      values_[emission.target] = std::move(value);
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
      argument.value = std::move(value);
    }
    for (const NeverAccepted& mark : step.row->never_accepted) {
      if (mark.target == emission.target) argument.instead = mark.instead;
    }
    values_[emission.target] = to_text(argument.value);
    step.emitted.push_back({argument.flag, argument.kind, argument.at, argument.value});
    const auto same = std::find_if(out_.arguments.begin(), out_.arguments.end(), [&](const Argument& other) {
      return other.flag == argument.flag && other.at == argument.at;
    });
    if (same == out_.arguments.end()) {
      out_.arguments.push_back(std::move(argument));
      return;
    }
    if (same->value != argument.value) step.replaced.push_back({same->from, step.emitted.size() - 1});
    *same = std::move(argument);
  }

  const Config& config_;
  const Engine& engine_;
  const Deployment& deployment_;
  const TargetValues* beside_;
  const Chooser chooser_;
  const RowSet& rows_;
  TargetValues values_;
  Mapped out_;
};

Mapping evaluate(const Config& config, const Engine& engine, const ModelQuantization& model,
                 const Deployment& deployment, Wording wording, const TargetValues* beside) {
  Mapping out;
  out.engine = &engine;
  out.deployment = deployment;
  out.config = drop_unfit(config, out.diagnostics);
  Mapped mapped = Evaluator(out.config, engine, out.deployment, beside).run();
  out.arguments = std::move(mapped.arguments);
  out.values = std::move(mapped.values);
  narrate(mapped, model, wording, out);
  assemble(out);
  return out;
}

}  // namespace

Mapping map_config(const Config& config, const Engine& engine, const ModelQuantization& model, Deployment deployment,
                   Wording wording, const TargetValues* beside) {
  take_model(model, engine, deployment);
  if (!deployment.checked || !deployment.arguments_only) {
    return evaluate(config, engine, model, deployment, wording, beside);
  }
  // A file that the engine ships needs only its name: so look at the whole mapping first.
  deployment.arguments_only = false;
  Mapping whole = evaluate(config, engine, model, deployment, wording, beside);
  const bool variables = std::any_of(whole.arguments.begin(), whole.arguments.end(),
                                     [](const Argument& argument) { return argument.kind == ChannelKind::kEnv; });
  if (whole.files.empty() && !variables) return whole;
  deployment.arguments_only = true;
  return evaluate(config, engine, model, deployment, wording, beside);
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
