#include "describe.hpp"

#include "quantmap/base/text.hpp"
#include "quantmap/config/config.hpp"
#include "quantmap/config/method.hpp"
#include "quantmap/deployment/kernels.hpp"
#include "quantmap/deployment/verdict.hpp"
#include "quantmap/mapping/render.hpp"

namespace quantmap::wasm {

namespace {

Value whole(std::uint64_t number) { return Value::integer(std::to_string(number)); }
Value whole_signed(std::int64_t number) { return Value::integer(std::to_string(number)); }

Value number(double size) { return Value::integer(std::to_string(static_cast<std::int64_t>(size))); }

Value described(const Band& band) {
  Value out = Value::array();
  out.append(number(band.low));
  out.append(number(band.high));
  return out;
}

Value described(const std::vector<NotLookedAt>& skipped) {
  Value out = Value::array();
  for (const NotLookedAt& one : skipped) {
    Value row = Value::object();
    row.set("what", text(one.what));
    row.set("give", text(one.give));
    out.append(std::move(row));
  }
  return out;
}

template <typename Items>
Value texts(const Items& items) {
  Value out = Value::array();
  for (const auto& item : items) out.append(text(item));
  return out;
}

Value described(const ArgumentValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return Value::boolean(*flag);
  return text(to_text(value));
}

Value described(const Diagnostic& diagnostic) {
  Value out = Value::object();
  out.set("code", text(diagnostic.text().code));
  out.set("severity", text(name_of(diagnostic.text().severity)));
  out.set("path", text(diagnostic.path));
  out.set("message", text(diagnostic.message()));
  out.set("hint", text(diagnostic.hint()));
  return out;
}

Value described(const Decision& decision) {
  Value emitted = Value::object();
  for (const Emitted& item : decision.emitted) emitted.set(item.place(), described(item.value));
  Value out = Value::object();
  out.set("field", text(dotted_key(field_info(decision.field))));
  out.set("asked", text(decision.value));
  out.set("given", Value::boolean(decision.asked));
  out.set("emitted", std::move(emitted));
  out.set("outcome", text(name_of(decision.outcome)));
  out.set("sentence", text(decision.why.message()));
  out.set("evidence", texts(decision.evidence));
  out.set("assumed", Value::boolean(decision.assumed));
  return out;
}

Value precision_of(const Mapping& mapping) {
  Value out = Value::object();
  for (const Real& part : real_precision(*mapping.engine, mapping.deployment, mapping.values)) {
    out.set(std::string(part.of), text(part.is));
  }
  return out;
}

std::string pair_of(const std::string& flag, const std::string& value) {
  return value.starts_with("-") ? shell_quote(flag + "=" + value) : shell_quote(flag) + " " + shell_quote(value);
}

// The whole command for a shell; files are written by whoever starts it.
std::string line_of(const Mapping& mapping, const std::string& model) {
  std::string out;
  std::string arguments;
  for (const Argument& argument : mapping.arguments) {
    if (argument.kind != ChannelKind::kFlag) {
      out += argument.flag + "=" + shell_quote(to_text(argument.value)) + " ";
    } else if (const bool* flag = std::get_if<bool>(&argument.value)) {
      if (*flag) arguments += " " + shell_quote(argument.flag);
    } else {
      arguments += " " + pair_of(argument.flag, to_text(argument.value));
    }
  }
  const Launcher& launcher = mapping.engine->launchers.front();
  for (const std::string_view word : launcher.words) out += std::string(word) + " ";
  const std::string named = model.starts_with("-") && launcher.model_flag.empty() ? "./" + model : model;
  out += launcher.model_flag.empty() ? shell_quote(named) : pair_of(std::string(launcher.model_flag), named);
  return out + arguments;
}

std::string release_of(const Mapping& mapping) {
  return std::string(mapping.engine->surface.releases[mapping.deployment.release].version);
}

Value described(const Checked& checked) {
  Value verdicts = Value::array();
  for (const Verdict& verdict : checked.verdicts) {
    Value row = Value::object();
    row.set("argument", text(verdict.flag));
    row.set("value", text(verdict.value));
    row.set("verdict", text(name_of(verdict.judgement)));
    row.set("refused", Value::boolean(is_refusal(verdict.judgement)));
    row.set("reason", text(verdict.reason));
    row.set("hint", text(verdict.hint));
    verdicts.append(std::move(row));
  }
  Value out = Value::object();
  out.set("engine", text(checked.engine->id));
  out.set("engine_name", text(checked.engine->name));
  out.set("version", text(checked.engine->surface.releases[checked.deployment.release].version));
  out.set("asked", text(checked.asked));
  out.set("platform", text(checked.platform));
  out.set("line", whole(checked.line));
  out.set("model", text(checked.model));
  out.set("not_looked_at", described(checked.not_looked_at));
  out.set("verdicts", std::move(verdicts));
  out.set("notes", wasm::described(checked.notes));
  return out;
}

}  // namespace

Value text(std::string_view value) { return Value::text(std::string(value)); }

Value described(const Diagnostics& diagnostics) {
  Value out = Value::array();
  for (const Diagnostic& diagnostic : diagnostics.all()) out.append(described(diagnostic));
  return out;
}

Value described(const Mapping& mapping, const std::string& model) {
  Value args = Value::object();
  Value env = Value::object();
  Value files = Value::object();
  for (const Argument& argument : mapping.arguments) {
    (argument.kind == ChannelKind::kFlag ? args : env).set(argument.flag, described(argument.value));
  }
  for (const LaunchFile& file : mapping.files) files.set(file.name, text(file.text));
  Value decisions = Value::array();
  for (const Decision& decision : mapping.decisions) decisions.append(described(decision));
  Value out = Value::object();
  out.set("engine", text(mapping.engine->id));
  out.set("engine_name", text(mapping.engine->name));
  out.set("version", mapping.deployment.checked ? text(release_of(mapping)) : Value());
  out.set("config", to_value(mapping.config));
  out.set("args", std::move(args));
  out.set("env", std::move(env));
  out.set("files", std::move(files));
  out.set("decisions", std::move(decisions));
  out.set("diagnostics", described(mapping.diagnostics));
  out.set("precision", precision_of(mapping));
  out.set("line", text(line_of(mapping, model)));
  out.set("not_looked_at", described(mapping.not_looked_at));
  return out;
}

Value described(const CheckedScript& script) {
  Value launches = Value::array();
  for (const Checked& launch : script.launches) launches.append(described(launch));
  Value out = Value::object();
  out.set("launches", std::move(launches));
  out.set("notes", described(script.notes));
  return out;
}

Value described(const MemoryFit& fit) {
  Value out = Value::object();
  out.set("memory_bytes", fit.gpu ? whole(fit.gpu->memory_bytes) : Value());
  out.set("cuda_bytes", whole(fit.cuda_bytes));
  out.set("gpu", fit.gpu ? text(fit.gpu->name) : Value());
  out.set("tp", whole_signed(fit.parallel.tensor));
  out.set("context", whole_signed(fit.context));
  out.set("concurrency", whole_signed(fit.concurrency));
  out.set("parameters", whole(fit.parameters));
  out.set("weights_exact", Value::boolean(fit.weights_exact));
  out.set("weight_bytes", whole(fit.weight_bytes));
  out.set("kv_needed_bytes", whole(fit.kv_needed_bytes));
  out.set("kv_budget_bytes", whole(fit.kv_budget_bytes));
  out.set("kv_budget_band", described(fit.kv_budget_band));
  out.set("activation_bytes", whole(fit.activation_bytes));
  out.set("graph_bytes", whole(fit.graph_bytes));
  out.set("kept_free_bytes", whole(fit.kept_free_bytes));
  out.set("tokens", whole_signed(fit.tokens));
  out.set("tokens_band", described(fit.tokens_band));
  out.set("sequences", whole_signed(fit.sequences));
  out.set("longest_context", whole_signed(fit.longest));
  out.set("verdict", text(name_of(fit.verdict)));
  out.set("cures", texts(fit.cures));
  out.set("not_counted", texts(fit.not_counted));
  out.set("assumptions", texts(fit.assumptions));
  return out;
}

Value described(const Checkpoint& checkpoint) {
  const Quantization& found = checkpoint.quantization;
  Value out = Value::object();
  out.set("evidence", text(name_of(checkpoint.evidence)));
  out.set("bytes_read", whole(checkpoint.bytes_read));
  out.set("kind", text(catalog().checkpoint_kinds[found.kind].title));
  out.set("method", text(found.method));
  out.set("architecture", checkpoint.architecture ? text(checkpoint.architecture->model_type) : Value());
  out.set("weight_bytes", checkpoint.weights ? whole(checkpoint.weights->bytes) : Value());
  out.set("parameters", checkpoint.weights ? whole(checkpoint.weights->parameters) : Value());
  out.set("notes", described(checkpoint.notes));
  return out;
}

Value choices() {
  const Catalog& all = catalog();
  Value engines = Value::array();
  for (const Engine& engine : all.engines) {
    Value releases = Value::array();
    for (const Release& release : engine.surface.releases) releases.append(text(release.version));
    Value row = Value::object();
    row.set("id", text(engine.id));
    row.set("name", text(engine.name));
    row.set("releases", std::move(releases));
    row.set("verified_through", text(engine.checked.verified_through));
    engines.append(std::move(row));
  }
  Value presets = Value::array();
  for (const Preset& preset : all.presets) {
    Value row = Value::object();
    row.set("id", text(preset.id));
    row.set("form", text(name_of(preset.form)));
    row.set("use_case", text(preset.use_case));
    row.set("recommended_for", text(preset.recommended_for));
    row.set("hardware", text(preset.hardware));
    presets.append(std::move(row));
  }
  Value fields = Value::array();
  for (const Field& field : all.fields) {
    Value options = Value::array();
    for (const Option& option : field.options) options.append(text(option.id));
    Value row = Value::object();
    row.set("key", text(dotted_key(field)));
    row.set("form", text(name_of(field.form)));
    row.set("label", text(field.label));
    row.set("title", text(field.title));
    row.set("options", std::move(options));
    fields.append(std::move(row));
  }
  Value gpus = Value::array();
  for (const GpuProduct& product : all.hardware.products) gpus.append(text(product.name));
  Value models = Value::array();
  for (const KnownModel& model : all.known_models) models.append(text(model.id));
  Value parts = Value::object();
  for (const Pair& part : kPrecisionParts) parts.set(std::string(part.first), text(part.second));
  Value out = Value::object();
  out.set("version", text(all.version));
  out.set("hash", text(all.hash));
  out.set("engines", std::move(engines));
  out.set("presets", std::move(presets));
  out.set("fields", std::move(fields));
  out.set("parts", std::move(parts));
  out.set("gpus", std::move(gpus));
  out.set("models", std::move(models));
  return out;
}

}  // namespace quantmap::wasm
