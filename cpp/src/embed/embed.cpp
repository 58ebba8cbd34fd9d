// The plain types of quantmap.hpp from and to those of the core.
#include <filesystem>
#include <fstream>
#include <memory>

#include "quantmap/base/json_io.hpp"
#include "quantmap/catalog/catalog.hpp"
#include "quantmap/check/check.hpp"
#include "quantmap/config/method.hpp"
#include "quantmap/mapping/render.hpp"
#include "quantmap/memory/fit.hpp"
#include "quantmap/quantmap.hpp"

namespace quantmap::api {

namespace {

Value given(const std::string& text) { return text.empty() ? Value() : Value::text(text); }

Value number(std::int64_t value) { return value == 0 ? Value() : Value::integer(std::to_string(value)); }

// JSON of a query; a problem stands under the query's name of it.
Value parsed(const std::string& text, std::string_view name, Diagnostics& problems) {
  return read_json(text, Path(name), problems).value_or(Value());
}

template <typename Query>
void take_where(const Query& query, DeploymentRequest& request) {
  request.engine_version = given(query.engine_version);
  request.gpu = given(query.gpu);
  request.checkpoint = given(query.checkpoint);
}

// What a launch and a price of its memory are both asked by.
template <typename Query, typename Request>
void take(const Query& query, Request& request, Diagnostics& problems) {
  request.runtime = Value::text(query.engine);
  request.quant_config = parsed(query.config, "$", problems);
  request.user_parameters = parsed(query.parameters, "user_parameters", problems);
  take_where(query, request);
}

std::vector<Note> notes_of(const Diagnostics& diagnostics) {
  std::vector<Note> out;
  for (const Diagnostic& item : diagnostics.all()) {
    const DiagnosticText& text = item.text();
    out.push_back(
        {std::string(text.code), std::string(name_of(text.severity)), item.path, item.message(), item.hint()});
  }
  return out;
}

template <typename Result>
Answer<Result> refused(const Diagnostics& problems) {
  return {std::nullopt, notes_of(problems)};
}

std::string release_of(const quantmap::Engine& engine, const Deployment& deployment) {
  return deployment.checked ? std::string(engine.surface.releases[deployment.release].version) : std::string();
}

Launch plain(const Mapping& mapping) {
  Launch out;
  out.engine = mapping.engine->id;
  out.version = release_of(*mapping.engine, mapping.deployment);
  out.arguments = argv(mapping);
  for (const Argument& argument : mapping.arguments) {
    if (argument.kind == ChannelKind::kEnv) out.environment.emplace_back(argument.flag, to_text(argument.value));
  }
  for (const quantmap::LaunchFile& file : mapping.files) out.files.push_back({file.name, file.text});
  for (const quantmap::Decision& one : mapping.decisions) {
    out.decisions.push_back({dotted_key(field_info(one.field)), one.value, std::string(name_of(one.outcome)),
                             one.why.message(), one.evidence, one.assumed});
  }
  out.notes = notes_of(mapping.diagnostics);
  return out;
}

Checked plain(const quantmap::Checked& checked) {
  Checked out;
  out.engine = checked.engine->id;
  out.version = checked.engine->surface.releases[checked.deployment.release].version;
  out.model = checked.model;
  out.line = checked.line;
  for (const quantmap::Verdict& one : checked.verdicts) {
    out.verdicts.push_back({one.flag, one.value, std::string(name_of(one.judgement)), is_refusal(one.judgement),
                            one.reason, one.hint, one.evidence});
  }
  out.notes = notes_of(checked.notes);
  return out;
}

// A name that stays in its folder.
bool stays(const std::string& name) {
  return !name.empty() && std::filesystem::path(name).filename() == name && name != "." && name != "..";
}

}  // namespace

Answer<Launch> launch(const LaunchQuery& query) {
  Diagnostics problems;
  LaunchRequest request;
  take(query, request, problems);
  request.policy = given(query.policy);
  if (problems.has_errors()) return refused<Launch>(problems);
  const auto mapping = quantmap::launch(request, problems);
  if (!mapping) return refused<Launch>(problems);
  return {plain(*mapping), {}};
}

std::string shell(const Launch& launch, const std::vector<std::string>& program) {
  std::string out;
  const auto add = [&out](const std::string& word) { out += (out.empty() ? "" : " ") + word; };
  for (const auto& variable : launch.environment) add(variable.first + "=" + shell_quote(variable.second));
  for (const std::string& word : program) add(shell_quote(word));
  for (const std::string& word : launch.arguments) add(shell_quote(word));
  return out;
}

bool write_files(const Launch& launch, const std::string& folder) {
  for (const LaunchFile& file : launch.files) {
    if (!stays(file.name)) return false;
    std::ofstream out(std::filesystem::path(folder) / file.name, std::ios::binary);
    out << file.text;
    out.close();
    if (!out) return false;
  }
  return true;
}

bool Checked::ok() const noexcept {
  for (const Verdict& verdict : verdicts) {
    if (verdict.refused) return false;
  }
  for (const Note& note : notes) {
    if (note.severity == name_of(Severity::kError)) return false;
  }
  return true;
}

Answer<std::vector<Checked>> check(const CheckQuery& query) {
  Diagnostics problems;
  CheckRequest request;
  request.command = Value::text(query.text);
  request.engine = given(query.engine);
  take_where(query, request);
  const auto script = quantmap::check_script(request, problems);
  if (!script) return refused<std::vector<Checked>>(problems);
  std::vector<Checked> out;
  for (const quantmap::Checked& launch : script->launches) out.push_back(plain(launch));
  return {std::move(out), notes_of(script->notes)};
}

Answer<Fit> fit(const FitQuery& query) {
  Diagnostics problems;
  FitRequest request;
  take(query, request, problems);
  request.tensor = number(query.tp);
  request.pipeline = number(query.pp);
  request.context = number(query.context);
  request.concurrency = number(query.concurrency);
  if (problems.has_errors()) return refused<Fit>(problems);
  const auto found = estimate_fit(request, problems);
  if (!found) return refused<Fit>(problems);
  Fit out;
  out.verdict = name_of(found->verdict);
  out.weight_bytes = found->weight_bytes;
  out.kv_budget_bytes = found->kv_budget_bytes;
  out.kv_needed_bytes = found->kv_needed_bytes;
  out.tokens = found->tokens;
  out.longest_context = found->longest;
  out.cures = found->cures;
  out.assumptions = found->assumptions;
  return {std::move(out), {}};
}

}  // namespace quantmap::api
