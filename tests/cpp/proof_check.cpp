// What must hold for a mapping, told from the tables alone.
#include <algorithm>
#include <cstdlib>
#include <set>
#include <unordered_map>

#include "proof.hpp"
#include "quantmap/base/json_io.hpp"

namespace quantmap::proof {

namespace {

bool inside(std::uint16_t since, std::uint16_t until, std::uint16_t release) {
  return release >= since && release < until;
}

bool has_bit(std::uint32_t mask, unsigned bit) { return (mask & (std::uint32_t{1} << bit)) != 0; }

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool is_integer(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// Why the release does not take the value, or "".
std::string value_problem(const FlagInterval& flag, const Argument& argument) {
  const std::string value = to_text(argument.value);
  if (flag.refused) return "is known to the release only to be refused";
  if (flag.type == FlagType::kBool) return "is a switch and takes no value";
  if (flag.type == FlagType::kInt && !is_integer(value)) return "takes an integer";
  if (!flag.choices_known) return {};
  const std::string wanted = flag.any_case ? lowered(value) : value;
  for (const std::string_view choice : flag.choices) {
    if ((flag.any_case ? lowered(choice) : std::string(choice)) == wanted) return {};
  }
  return "does not take this value";
}

// The flags of a release by canonical name and alias.
std::unordered_map<std::string_view, const FlagInterval*> flags_at(const ArgumentSchema& surface,
                                                                   std::uint16_t release) {
  std::unordered_map<std::string_view, const FlagInterval*> out;
  for (const FlagHistory& history : surface.flags) {
    for (const FlagInterval& interval : history.intervals) {
      if (!inside(interval.since, interval.until, release)) continue;
      out[history.name] = &interval;
      for (const std::string_view alias : interval.aliases) out.try_emplace(alias, &interval);
    }
  }
  return out;
}

bool reads_variable(const ArgumentSchema& surface, std::string_view name, std::uint16_t release) {
  return std::any_of(surface.variables.begin(), surface.variables.end(), [&](const Variable& variable) {
    return variable.name == name && inside(variable.since, variable.until, release);
  });
}

// The route that the release has for a target, or null.
const Channel* route_at(const ArgumentSchema& surface, const Target& target, const ReleaseGround& ground,
                        std::uint16_t release) {
  for (const Channel& route : target.routes) {
    if (route.kind == ChannelKind::kEnv) {
      if (reads_variable(surface, route.name, release)) return &route;
      continue;
    }
    const auto flag = ground.flags.find(route.kind == ChannelKind::kFile ? route.through : route.name);
    if (flag != ground.flags.end() && !flag->second->refused) return &route;
  }
  return nullptr;
}

// The text at a place in a JSON argument; "" when nothing is there.
std::string at_place(const std::string& json, std::string_view place) {
  Diagnostics unread;
  const auto whole = read_json(json, Path("$"), unread);
  if (!whole) return "(not JSON)";
  const Value* here = &*whole;
  while (!place.empty() && here != nullptr) {
    place.remove_prefix(1);
    const std::size_t end = std::min(place.find('/'), place.size());
    here = here->find(place.substr(0, end));
    place.remove_prefix(end);
  }
  return here == nullptr ? "" : here->as_text();
}

// What each target is set to, read back from the arguments; what only a file says, and statements
// that no argument carries, are taken from the mapping.
TargetValues read_back(const Mapping& mapping, const Ground& ground) {
  const Engine& engine = *mapping.engine;
  TargetValues out(engine.checked.targets.size());
  for (std::size_t t = 0; t < out.size(); ++t) {
    const Channel* route = ground.release->routes[t];
    const bool statement = engine.checked.targets[t].routes.empty();
    if (statement || (route != nullptr && route->kind == ChannelKind::kFile)) {
      out[t] = mapping.values[t];
      continue;
    }
    if (route == nullptr) continue;
    for (const Argument& argument : mapping.arguments) {
      if (argument.flag != route->name || !argument.through.empty()) continue;  // what a file route names is its own
      const std::string value = to_text(argument.value);
      out[t] = route->at.empty() ? value : at_place(value, route->at);
    }
  }
  return out;
}

}  // namespace

std::string_view meant(const Engine& engine, const Place& place, const TargetValues& values, std::size_t target) {
  const std::string_view value = values[target];
  const ModelMarks& marks = worlds()[place.world].marks;
  for (const Meaning& item : engine.checked.meanings) {
    if (item.target != target || !inside(item.since, item.until, place.release)) continue;
    if (!has_bit(item.checkpoints, place.kind) || !has_bit(item.gpus, place.gpu)) continue;
    if (!has_bit(item.dtypes, marks.dtype) || (item.has & ~marks.has) != 0) continue;
    if (!has_bit(item.models, static_cast<unsigned>(worlds()[place.world].kind))) continue;
    if ((item.lacks & ~marks.lacks) != 0 || (item.schemes & marks.schemes) == 0) continue;
    if (!has_bit(item.kv_dtypes, marks.kv_dtype)) continue;
    if (!item.types.empty()) continue;  // the worlds have no classes of models
    const bool beside = std::all_of(item.beside.begin(), item.beside.end(), [&values](const RuleTerm& term) {
      return std::find(term.values.begin(), term.values.end(), values[term.target]) != term.values.end();
    });
    if (!beside) continue;
    for (const std::string_view one : item.values) {
      if (one == value) return item.means;
    }
  }
  return value;
}

namespace {

// Sizes are numbers that users write; what stands for something else is none of them.
bool compares(const RuleTerm& term, const TargetValues& values) {
  const auto number = [&values](std::size_t target) { return std::max(1, std::atoi(values[target].c_str())); };
  const int mine = number(term.target);
  const int other = number(term.with);
  return term.compared == Compared::kDiffersFrom ? mine != other : other % mine != 0;
}

bool holds(const Engine& engine, const Place& place, const Constraint& rule, const TargetValues& values) {
  for (const RuleTerm& term : rule.terms) {
    bool found = false;
    for (const std::string_view value : term.values) {
      found |= value == meant(engine, place, values, term.target);
    }
    found = found != term.others;
    if (!found || (term.compared != Compared::kNot && !compares(term, values))) return false;
  }
  return true;
}

std::string reason_of(const Decision& decision) {
  for (const auto& [name, value] : decision.why.context) {
    if (name == "reason" || name == "route") return value;
  }
  return {};
}

void check_arguments(const Mapping& mapping, const Place& place, const Ground& ground, bool arguments_only,
                     std::vector<Problem>& out) {
  const ArgumentSchema& surface = mapping.engine->surface;
  std::set<std::string> seen;
  for (const Argument& argument : mapping.arguments) {
    const std::string shown = argument.flag + " " + to_text(argument.value);
    if (!seen.insert(argument.flag).second) out.push_back({"emitted twice: " + argument.flag, shown});
    if (argument.kind == ChannelKind::kEnv) {
      if (arguments_only) out.push_back({"a variable in arguments alone: " + argument.flag, shown});
      const bool known = reads_variable(surface, argument.flag, place.release);
      if (!known) out.push_back({"unknown variable: " + argument.flag, shown});
      continue;
    }
    const auto flag = ground.release->flags.find(argument.flag);
    if (flag == ground.release->flags.end()) {
      out.push_back({"unknown flag: " + argument.flag, shown});
    } else if (const std::string wrong = value_problem(*flag->second, argument); !wrong.empty()) {
      out.push_back({shown + " " + wrong, {}});
    }
  }
  if (arguments_only && !mapping.files.empty()) out.push_back({"a file in arguments alone", mapping.files[0].name});
  for (const LaunchFile& file : mapping.files) {
    const bool named = std::any_of(mapping.arguments.begin(), mapping.arguments.end(),
                                   [&](const Argument& argument) { return to_text(argument.value) == file.name; });
    if (!named || file.text.empty()) out.push_back({"a file that no argument names, or an empty one", file.name});
  }
}

bool cannot_serve(const Mapping& mapping) {
  const auto& all = mapping.decisions;
  return !all.empty() && std::all_of(all.begin(), all.end(), [](const Decision& decision) {
    return decision.outcome == Outcome::kCannotServe;
  });
}

bool is_refused(const Engine& engine, const Place& place, const Ground& ground, const TargetValues& values) {
  std::vector<Problem> refusals;
  check_kernels(engine, place, values, refusals);
  return !refusals.empty() || std::any_of(ground.with_terms.begin(), ground.with_terms.end(),
                                          [&](const Constraint* rule) { return holds(engine, place, *rule, values); });
}

// Whether what the model asks for by itself is refused. What was not asked is not set to help it.
bool model_refused(const Engine& engine, const Place& place, const Ground& ground) {
  return is_refused(engine, place, ground, TargetValues(engine.checked.targets.size()));
}

void check_decisions(const Mapping& mapping, bool nothing, std::vector<Problem>& out) {
  std::size_t expected = 0;
  for (const FieldId field : mapping.engine->order[static_cast<std::size_t>(mapping.config.form)]) {
    expected += effective(mapping.config, field).present ? 1U : 0U;
  }
  if (mapping.decisions.size() != expected) out.push_back({"not one decision per field", {}});
  if (nothing && !mapping.arguments.empty()) out.push_back({"arguments although nothing can be served", {}});
  for (const Decision& decision : mapping.decisions) {
    const std::string field(field_info(decision.field).id);
    const std::string reason = reason_of(decision);
    const std::string shown = field + " " + decision.value;
    if (reason == "the catalogue has no row for it") out.push_back({"no row: " + shown, {}});
    const Outcome outcome = decision.outcome;
    if ((outcome == Outcome::kCannotServe) != nothing) {
      out.push_back({"cannot-serve does not come from a rule alone", shown});
    }
    if (outcome == Outcome::kCannotServe && decision.evidence.empty()) {
      out.push_back({"cannot-serve without evidence", shown});
    }
    const bool lost = outcome == Outcome::kDegraded || outcome == Outcome::kDropped;
    const bool asked_nothing = decision.value == "auto" || decision.value == "none";
    if (lost && reason.empty()) out.push_back({std::string(name_of(outcome)) + " without a reason: " + shown, {}});
    if (lost && asked_nothing) out.push_back({"lost although nothing was asked: " + shown, {}});
    if (outcome == Outcome::kFallsBack) out.push_back({"the chain decided: " + shown, {}});
  }
}

std::string describe(const World& world) {
  if (world.kind == ModelKind::kUnknown) return {};
  std::string out = ", " + std::string(catalog().model_kinds[static_cast<std::size_t>(world.kind)]) + " " +
                    std::string(catalog().model_dtypes[world.marks.dtype]) + ", KV " +
                    std::string(catalog().kv_dtypes[world.marks.kv_dtype]);
  for (std::size_t i = 0; i < catalog().traits.size(); ++i) {
    if ((world.marks.has & trait_bit(i)) != 0) out += " " + std::string(catalog().traits[i].id);
  }
  for (std::size_t i = 1; i < catalog().schemes.size(); ++i) {
    if (has_bit(world.marks.schemes, static_cast<unsigned>(i))) out += " " + std::string(catalog().schemes[i].id);
  }
  return out;
}

}  // namespace

std::string describe(const Engine& engine, const Place& place) {
  return std::string(engine.id) + " " + std::string(engine.surface.releases[place.release].version) + ", " +
         std::string(catalog().checkpoint_kinds[place.kind].id) + ", " +
         std::string(catalog().gpu_classes[place.gpu].id) + describe(worlds()[place.world]) +
         (place.activations ? "" : ", weights only");
}

std::string describe(const Config& config) {
  std::string out;
  for (const Field& field : catalog().fields) {
    if (!config[field.field].present) continue;
    out += (out.empty() ? "" : " ") + std::string(field.id) + "=" + spelled(field.field, config[field.field]);
  }
  return out.empty() ? "nothing given" : out;
}

Grounds::Grounds(const Engine& engine) : engine_(engine) {
  for (std::size_t i = 0; i < engine.surface.releases.size(); ++i) {
    const auto release = static_cast<std::uint16_t>(i);
    ReleaseGround ground{flags_at(engine.surface, release), {}};
    for (const Target& target : engine.checked.targets) {
      ground.routes.push_back(route_at(engine.surface, target, ground, release));
    }
    releases_.push_back(std::move(ground));
  }
}

Ground Grounds::at(const Place& place) const {
  Ground out;
  out.release = &releases_[place.release];
  const Deployment deployment = situation_at(place);
  for (const Constraint& rule : engine_.checked.rules) {
    if (!inside(rule.since, rule.until, place.release)) continue;
    if (!is_about_model(rule, deployment)) continue;
    if (has_bit(rule.gpus, place.gpu)) {
      if (!rule.terms.empty()) out.with_terms.push_back(&rule);
      if (rule.terms.empty() && out.nothing_served == nullptr) out.nothing_served = &rule;
    }
    const bool every_gpu = rule.gpus == 0xFFFF;
    if (place.gpu == 0 && !every_gpu) out.conditional.push_back(&rule);
  }
  return out;
}

std::vector<Problem> problems_of(const Mapping& mapping, const Place& place, const Ground& ground,
                                 bool arguments_only) {
  std::vector<Problem> out;
  check_arguments(mapping, place, ground, arguments_only, out);
  const bool by_model = cannot_serve(mapping) && model_refused(*mapping.engine, place, ground);
  check_decisions(mapping, by_model || ground.nothing_served != nullptr, out);
  const TargetValues values = read_back(mapping, ground);
  for (std::size_t t = 0; t < values.size(); ++t) {
    if (values[t] == mapping.values[t]) continue;
    out.push_back({"the target " + std::string(mapping.engine->checked.targets[t].id) + " is not what the launch says",
                   "'" + mapping.values[t] + "', launched '" + values[t] + "'"});
  }
  if (ground.nothing_served == nullptr && !by_model) {
    for (const Constraint* rule : ground.with_terms) {
      if (holds(*mapping.engine, place, *rule, values))
        out.push_back({"the rule " + std::string(rule->id) + " holds", {}});
    }
    check_kernels(*mapping.engine, place, values, out);
  }
  std::vector<const Constraint*> conditions;
  for (const Constraint* rule : ground.conditional) {
    if (holds(*mapping.engine, place, *rule, values)) conditions.push_back(rule);
  }
  if (conditions != conditional_rules(*mapping.engine, mapping.deployment, mapping.values)) {
    out.push_back({"conditional rules are not listed", {}});
  }
  return out;
}

std::vector<Problem> problems_of_tables(const Engine& engine) {
  std::vector<Problem> out;
  for (const Constraint& rule : engine.checked.rules) {
    if (rule.evidence.empty()) out.push_back({"the rule " + std::string(rule.id) + " has no evidence", {}});
  }
  for (const std::string_view part : {"gemm", "kv", "attention", "moe"}) {
    const auto& rows = engine.checked.precision;
    const bool always = std::any_of(rows.begin(), rows.end(), [&](const Precision& row) {
      const auto kinds = static_cast<unsigned>(catalog().checkpoint_kinds.size());
      const std::uint32_t all = (std::uint32_t{1} << kinds) - 1;
      return row.of == part && row.terms.empty() && row.gpus == 0xFFFF && row.models == 0xFF && row.has == 0 &&
             row.lacks == 0 && row.schemes == 0xFFFFFFFF && row.dtypes == 0xFF && row.kv_dtypes == 0xFF &&
             (row.checkpoints & all) == all && row.since == 0 && row.until >= engine.surface.releases.size();
    });
    if (!always) out.push_back({"no last answer for the precision of " + std::string(part), {}});
  }
  return out;
}

}  // namespace quantmap::proof
