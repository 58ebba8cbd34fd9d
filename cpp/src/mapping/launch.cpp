#include "quantmap/mapping/launch.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>
#include <memory>

#include "base/letters.hpp"
#include "mapping/reading.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/config/resolve.hpp"
#include "quantmap/config/validate.hpp"
#include "quantmap/deployment/json_place.hpp"
#include "quantmap/deployment/shapes.hpp"
#include "quantmap/deployment/trouble.hpp"
#include "quantmap/deployment/verdict.hpp"
#include "quantmap/mapping/merge.hpp"

namespace quantmap {

namespace {

constexpr std::string_view kPolicies[] = {"degrade", "strict", "literal"};  // by Policy

// Files that a parameter put another file in the place of: they are not needed any more.
std::vector<LaunchFile> take_replaced_files(Mapping& mapping) {
  std::vector<LaunchFile> replaced;
  std::erase_if(mapping.files, [&](const LaunchFile& file) {
    const bool by_user = std::any_of(mapping.arguments.begin(), mapping.arguments.end(), [&file](const Argument& a) {
      return a.flag == file.through && a.from == kNoField;
    });
    if (by_user) replaced.push_back(file);
    return by_user;
  });
  return replaced;
}

// A decision whose argument a parameter took over says so.
void note_overrides(Mapping& mapping) {
  const std::vector<LaunchFile> replaced = take_replaced_files(mapping);
  for (const LaunchFile& file : replaced) {
    mapping.diagnostics.add(Code::kFileReplaced, "user_parameters", {{"key", file.through}, {"value", file.name}});
  }
  for (Decision& decision : mapping.decisions) {
    std::string by;
    std::erase_if(decision.emitted, [&](const Emitted& item) {
      std::string flag = item.name;
      for (const LaunchFile& file : replaced) {
        if (flag == file.name) flag = file.through;
      }
      const auto user = std::find_if(mapping.arguments.begin(), mapping.arguments.end(),
                                     [&flag](const Argument& a) { return a.flag == flag && a.from == kNoField; });
      if (user == mapping.arguments.end()) return false;
      const std::string words = flag + " " + to_text(user->value);
      if (by.find(words) == std::string::npos) by += (by.empty() ? "" : " ") + words;
      return true;
    });
    if (by.empty()) continue;
    const Context context{
        {"label", std::string(field_info(decision.field).label)}, {"value", decision.value}, {"key", by}};
    decision.outcome = Outcome::kReplaced;
    decision.why = {Code::kReplacedByUser, decision.why.path, context};
  }
}

// What a reader should know about the ground a checked mapping stands on.
void add_notes(Mapping& mapping, const ModelQuantization& model) {
  const Engine& engine = *mapping.engine;
  const Deployment& deployment = mapping.deployment;
  const Context context{{"engine", std::string(engine.name)},
                        {"version", std::string(engine.surface.releases[deployment.release].version)},
                        {"known", std::string(engine.checked.verified_through)}};
  if (!engine.checked.verified_through.empty()) {
    Diagnostics unused;
    const auto verified = find_release(engine, engine.checked.verified_through, Path("$"), unused);
    if (verified && deployment.release > *verified) mapping.diagnostics.add(Code::kReleaseNotVerified, "$", context);
  }
  if (!model.given) mapping.diagnostics.add(Code::kCheckpointNotGiven, "model_quantization");
  for (const Constraint* rule : conditional_rules(engine, deployment, mapping.values)) {
    mapping.diagnostics.add(Code::kDependsOnGpu, "gpu",
                            {{"known", gpu_names(rule->gpus)}, {"reason", std::string(rule->text)}});
  }
  for (const Trouble* trouble : troubles_of(engine, deployment, mapping.values)) {
    report_trouble(engine, deployment, *trouble, mapping.diagnostics);
  }
}

// What the targets that are arguments have in the end, with the parameters.
void take_values(const Engine& engine, const std::vector<Argument>& arguments, TargetValues& values) {
  const auto& targets = engine.checked.targets;
  for (std::size_t t = 0; t < targets.size(); ++t) {
    for (const Channel& route : targets[t].routes) {
      if (route.kind == ChannelKind::kFile) continue;
      const auto given = std::find_if(arguments.begin(), arguments.end(), [&route](const Argument& argument) {
        return argument.flag == route.name && argument.at.empty();
      });
      if (given == arguments.end()) continue;
      std::string said = to_text(given->value);
      if (!route.at.empty()) said = text_at(said, route.at);
      if (route.at.empty() || !said.empty()) values[t] = std::move(said);
    }
  }
}

// Sizes of the model that the parallel sizes do not divide.
void report_sizes(Mapping& mapping) {
  const Engine& engine = *mapping.engine;
  const auto problems = shape_problems(engine, mapping.deployment, mapping.values);
  for (const ShapeProblem& problem : problems) {
    if (problem.assumed) continue;
    const std::string hint = sizes_hint(engine, mapping.deployment, mapping.values, *problem.shape);
    report_size(engine, mapping.deployment, problem, hint, mapping.diagnostics);
  }
}

bool falls_short(const Decision& decision) {
  if (!decision.asked) return false;
  // Asking for the default, or for a size of one, loses nothing.
  const Field& field = field_info(decision.field);
  const bool is_default = field.default_option < 0
                              ? field.kind == FieldKind::kInteger && decision.value == "1"
                              : decision.value == field.options[static_cast<std::size_t>(field.default_option)].id;
  const Outcome outcome = decision.outcome;
  // A quantized checkpoint decides instead; where there is nothing to quantize, nothing is lost.
  const bool overruled = outcome == Outcome::kIgnored && decision.why.code != Code::kDenseModel;
  return !is_default && (overruled || outcome == Outcome::kDegraded || outcome == Outcome::kDropped ||
                         outcome == Outcome::kCannotServe || outcome == Outcome::kNotSupported);
}

}  // namespace

std::optional<Policy> read_policy(const Value& value, Diagnostics& problems) {
  const Path path("policy");
  if (!value.is_text()) {
    report_wrong_type(value, "one of " + join(kPolicies), path, problems);
    return std::nullopt;
  }
  const std::string& policy = value.as_text();
  const auto found = std::find(std::begin(kPolicies), std::end(kPolicies), policy);
  if (found != std::end(kPolicies)) return static_cast<Policy>(found - std::begin(kPolicies));
  std::string hint = did_you_mean(policy, kPolicies);
  problems.add(Code::kBadPolicy, path.str(), {{"value", quote(policy)}, {"known", join(kPolicies)}, {"hint", hint}});
  return std::nullopt;
}

std::optional<Policy> read_policy(const Value& value, const std::string& fallback, bool checked,
                                  Diagnostics& problems) {
  if (!value.is_null()) return read_policy(value, problems);
  if (!checked || fallback.empty()) return Policy::kDegrade;
  return read_policy(Value::text(fallback), problems);
}

void need_version(const DeploymentRequest& request, Policy policy, Diagnostics& problems) {
  if (!request.gpu.is_null()) problems.add(Code::kNeedsVersion, "gpu", {{"value", "gpu"}});
  if (policy != Policy::kDegrade) {
    const std::string name = "policy " + quote(kPolicies[static_cast<std::size_t>(policy)]);
    problems.add(Code::kNeedsVersion, "policy", {{"value", name}});
  }
}

void enforce_strict(const Mapping& mapping, Diagnostics& problems) {
  const Context engine{{"engine", std::string(mapping.engine->name)}};
  const auto refuse = [&](const std::string& path, std::string message) {
    Context context = engine;
    context.emplace_back("message", std::move(message));
    problems.add(Code::kRefusedByPolicy, path, std::move(context));
  };
  for (const Decision& decision : mapping.decisions) {
    if (falls_short(decision)) refuse(decision.why.path, decision.why.message());
  }
  for (const Diagnostic& diagnostic : mapping.diagnostics.all()) {
    const bool error = diagnostic.text().severity == Severity::kError && !refuses_whole(diagnostic);
    if (error) refuse(diagnostic.path, diagnostic.message());
  }
}

Mapping map_by_policy(const Config& config, const Engine& engine, const ModelQuantization& model,
                      const Deployment& deployment, Policy policy, Wording wording, const TargetValues* beside) {
  if (model.dense) {
    ModelQuantization rest = model;
    rest.dense = false;
    Mapping mapping = map_by_policy(without_experts(config), engine, rest, deployment, policy, wording, beside);
    note_dense(config, mapping);
    mapping.deployment.experts = false;
    return mapping;
  }
  if (policy != Policy::kLiteral) return map_config(config, engine, model, deployment, wording, beside);
  Mapping mapping = map_config(config, engine, model, {}, wording);
  const Deployment documented = mapping.deployment;
  mapping.deployment = deployment;
  mapping.deployment.checkpoint = documented.checkpoint;
  mapping.deployment.model = documented.model;
  mapping.deployment.head_size = documented.head_size;
  mapping.deployment.experts = documented.experts;
  mapping.deployment.marks = documented.marks;
  mapping.deployment.facts = documented.facts;
  mapping.values.assign(engine.checked.targets.size(), {});
  return mapping;
}

const Engine* read_runtime(const Value& runtime, std::string& version, Diagnostics& problems) {
  const Path path("runtime");
  if (!runtime.is_text()) {
    report_wrong_type(runtime, "the name of an engine", path, problems);
    return nullptr;
  }
  const std::string name = lower(trim(runtime.as_text()));
  const std::size_t mark = std::min(name.find('@'), name.find("=="));
  const std::string base(trim(std::string_view(name).substr(0, mark)));
  if (mark != std::string::npos) version = trim(std::string_view(name).substr(mark + (name[mark] == '@' ? 1 : 2)));
  std::vector<std::string_view> known;
  std::vector<std::string_view> engines;
  for (const Engine& engine : catalog().engines) {
    engines.push_back(engine.id);
    for (const std::string_view runtime_name : engine.runtime_names) {
      if (runtime_name == base) {
        if (mark != std::string::npos && version.empty()) version = "(empty)";
        return &engine;
      }
      known.push_back(runtime_name);
    }
  }
  std::string hint = did_you_mean(base, known);
  for (const std::string_view engine : known) {  // "sglang-llama-small": the name of something that runs it
    const bool begins = hint.empty() && base.size() > engine.size() && base.starts_with(engine);
    if (begins && !is_alnum(base[engine.size()])) hint = "did you mean " + quote(engine) + "?";
  }
  if (hint.empty()) hint = "name the engine that runs behind it";
  problems.add(Code::kUnknownEngine, path.str(),
               {{"value", quote(runtime.as_text())}, {"known", join(engines)}, {"hint", hint}});
  return nullptr;
}

namespace {

// What arguments set by another of their names, or the beginning of one.
void take_renamed(const Engine& engine, const Deployment& deployment, const std::vector<Verdict>& verdicts,
                  TargetValues& values) {
  const auto is_renamed = [](const Verdict& verdict) {
    return !verdict.canonical.empty() && verdict.canonical != verdict.flag;
  };
  if (std::none_of(verdicts.begin(), verdicts.end(), is_renamed)) return;
  const Given given = given_values(engine, deployment, verdicts).front();
  for (std::size_t t = 0; t < values.size(); ++t) {
    if (values[t].empty() && given.by[t] != kNotGiven) values[t] = given.values[t];
  }
}

// What the release makes of the finished arguments.
void judge_checked(Mapping& mapping, VerdictsKept* kept) {
  take_values(*mapping.engine, mapping.arguments, mapping.values);
  const std::vector<Verdict> verdicts = judge(*mapping.engine, mapping.deployment, mapping.arguments, kept);
  take_renamed(*mapping.engine, mapping.deployment, verdicts, mapping.values);
  report_refusals(*mapping.engine, mapping.deployment, verdicts, mapping.arguments, mapping.diagnostics);
  report_sizes(mapping);
}

bool is_served(const Mapping& mapping) {
  return std::none_of(mapping.diagnostics.all().begin(), mapping.diagnostics.all().end(), refuses_whole);
}

// Of a model that is refused alone: the mapping beside what parameters set, if that is served.
std::optional<Mapping> map_beside(const LaunchReading& read, const Value& parameters, Wording wording) {
  const Deployment& deployment = *read.deployment;
  std::vector<Argument> arguments;
  Diagnostics unread;
  merge(arguments, parameters, read.engine, Path("user_parameters"), unread, &deployment);
  if (arguments.empty()) return std::nullopt;
  TargetValues values(read.engine->checked.targets.size());
  take_values(*read.engine, arguments, values);
  Mapping out = map_by_policy(*read.config, *read.engine, *read.model, deployment, *read.policy, wording, &values);
  return is_served(out) ? std::optional(std::move(out)) : std::nullopt;
}

// What was told of a model that is refused alone, without that.
Diagnostics without_refusal(const Diagnostics& told) {
  Diagnostics out;
  for (const Diagnostic& one : told.all()) {
    if (!refuses_whole(one)) out.add(one.code, one.path, one.context);
  }
  return out;
}

// Takes that mapping in place of the one that is refused, with its warnings.
void take_beside(const LaunchReading& read, const Value& parameters, Wording wording, Mapping& mapping,
                 Diagnostics& warnings) {
  if (!read.deployment->checked || is_served(mapping)) return;
  std::optional<Mapping> beside = map_beside(read, parameters, wording);
  if (!beside) return;
  warnings = without_refusal(warnings);
  warnings.append(beside->diagnostics);
  mapping = *std::move(beside);
}

}  // namespace

LaunchReading read_request(const LaunchRequest& request, Diagnostics& problems) {
  LaunchReading out;
  std::string suffix;
  out.engine = read_runtime(request.runtime, suffix, problems);
  Diagnostics release_notes;
  if (out.engine != nullptr) out.deployment = read_deployment(request, *out.engine, suffix, release_notes);
  const bool checked = out.deployment && out.deployment->checked;
  out.policy = read_policy(request.policy, request.default_policy, checked, problems);
  if (out.deployment && !checked && out.policy) need_version(request, *out.policy, problems);
  if (release_notes.has_errors()) problems.append(release_notes);
  Diagnostics config_problems;
  out.config = resolve(request.quant_config, Path("$"), config_problems);
  problems.append(config_problems);
  out.model = read_model(request, out.warnings, problems);
  if (!release_notes.has_errors()) out.warnings.append(release_notes);
  return out;
}

std::optional<Mapping> map_read(LaunchReading& read, Wording wording) {
  if (!read.is_whole()) return std::nullopt;
  Mapping mapping = map_by_policy(*read.config, *read.engine, *read.model, *read.deployment, *read.policy, wording);
  read.warnings.append(mapping.diagnostics);
  return mapping;
}

std::optional<Mapping> launch_of(const LaunchReading& read, std::optional<Mapping> mapping, const Value& parameters,
                                 Wording wording, Diagnostics& problems) {
  Diagnostics warnings = read.warnings;
  if (mapping) take_beside(read, parameters, wording, *mapping, warnings);
  // Parameters are read in any case: all problems of the input are told at once.
  std::vector<Argument> unused;
  Diagnostics merged;
  merge(mapping ? mapping->arguments : unused, parameters, read.engine, Path("user_parameters"), merged,
        mapping ? &*read.deployment : nullptr);
  if (merged.has_errors()) problems.append(merged);
  if (!mapping || problems.has_errors()) return std::nullopt;
  mapping->diagnostics = std::move(warnings);
  mapping->diagnostics.append(merged);
  const bool worded = wording == Wording::kFull;
  if (worded) note_overrides(*mapping);
  if (!read.deployment->checked) {
    if (worded) report_never_accepted(*mapping);
    return mapping;
  }
  judge_checked(*mapping, read.verdicts);
  if (worded) {
    add_notes(*mapping, *read.model);
    mapping->not_looked_at = not_looked_at(*read.engine, mapping->deployment, read.model->given);
  }
  if (*read.policy == Policy::kStrict) enforce_strict(*mapping, problems);
  if (problems.has_errors()) return std::nullopt;
  return mapping;
}

std::optional<Mapping> launch(const LaunchRequest& request, Diagnostics& problems) {
  LaunchReading read = read_request(request, problems);
  std::optional<Mapping> mapping = map_read(read, request.wording);
  return launch_of(read, std::move(mapping), request.user_parameters, request.wording, problems);
}

}  // namespace quantmap
