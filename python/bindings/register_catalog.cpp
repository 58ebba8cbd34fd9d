// The catalogue as Python data, for docs, schemas and tests.
#include "convert.hpp"
#include "function.hpp"
#include "quantmap/config/method.hpp"
#include "quantmap/deployment/verdict.hpp"
#include "register.hpp"

namespace quantmap::bindings {

namespace {

py::dict pairs(std::span<const Pair> items) {
  py::dict out;
  for (const Pair& item : items) out[text(item.first)] = text(item.second);
  return out;
}

// Whether a section that is given must hold the field.
bool is_required(const Field& field) {
  for (const Section& section : catalog().sections) {
    if (!section.id.empty() && section.id == field.section && section.required_key == field.key) return true;
  }
  return false;
}

// The value that another field completes, as "by" with "with"; None for a field that has none.
py::object completion_of(const Field& field) {
  if (!field.completion.exists) return none();
  const Field& by = field_info(field.completion.by);
  py::dict with;
  for (std::size_t i = 0; i < by.options.size(); ++i) {
    with[text(by.options[i].id)] = text(field.options[static_cast<std::size_t>(field.completion.with[i])].id);
  }
  py::dict out;
  out["by"] = text(by.id);
  out["with"] = with;
  return out;
}

py::list fields() {
  py::list out;
  for (const Field& field : catalog().fields) {
    py::dict row;
    row["id"] = text(field.id);
    row["form"] = text(name_of(field.form));
    row["section"] = text(field.section);
    row["key"] = text(field.key);
    row["label"] = text(field.label);
    row["title"] = text(field.title);
    row["source"] = text(field.source);
    row["kind"] = text(name_of(field.kind));
    py::list options;
    py::dict titles;
    for (const Option& option : field.options) {
      options.append(option.number >= 0 ? py::object(py::int_(option.number)) : py::object(text(option.id)));
      if (!option.title.empty()) titles[text(option.id)] = text(option.title);
    }
    row["options"] = options;
    row["option_titles"] = titles;
    row["default"] = field.default_option < 0
                         ? none()
                         : py::object(text(field.options[static_cast<std::size_t>(field.default_option)].id));
    row["required"] = to_object(is_required(field));
    row["completion"] = completion_of(field);
    row["minimum"] = to_object(field.minimum);
    row["maximum"] = to_object(field.maximum);
    out.append(row);
  }
  return out;
}

py::list presets() {
  py::list out;
  for (const Preset& preset : catalog().presets) {
    py::dict row;
    row["id"] = text(preset.id);
    row["form"] = text(name_of(preset.form));
    row["config"] = to_python(to_value(preset_config(preset)));
    row["use_case"] = text(preset.use_case);
    row["recommended_for"] = text(preset.recommended_for);
    row["claims"] = pairs(preset.claims);
    row["engines"] = pairs(preset.engines);
    row["hardware"] = text(preset.hardware);
    row["source"] = text(preset.source);
    out.append(row);
  }
  return out;
}

py::list callables_of(const Engine& engine) {
  py::list out;
  for (const Callable& callable : engine.callables) {
    py::dict renamed;
    for (const RenamedParameter& parameter : callable.renamed) renamed[text(parameter.name)] = text(parameter.flag);
    out.append(make_tuple(text(callable.package), texts(callable.names), text(callable.model), renamed));
  }
  return out;
}

py::list engines() {
  py::list out;
  for (const Engine& engine : catalog().engines) {
    py::dict row;
    row["id"] = text(engine.id);
    row["name"] = text(engine.name);
    row["runtime_names"] = texts(engine.runtime_names);
    py::dict flags;
    for (const Flag& flag : engine.flags) flags[text(flag.id)] = texts(flag.aliases);
    row["flags"] = flags;
    py::list launchers;
    for (const Launcher& launcher : engine.launchers) {
      launchers.append(make_tuple(texts(launcher.words), text(launcher.model_flag)));
    }
    row["launchers"] = launchers;
    row["callables"] = callables_of(engine);
    row["config_flag"] = text(engine.config_flag);
    row["verified_through"] = text(engine.checked.verified_through);
    out.append(row);
  }
  return out;
}

py::list diagnostics() {
  py::list out;
  for (const DiagnosticText& item : catalog().diagnostics) {
    py::dict row;
    row["code"] = text(item.code);
    row["severity"] = text(name_of(item.severity));
    row["template"] = text(item.message);
    row["hint"] = text(item.hint);
    row["since"] = text(item.since);
    out.append(row);
  }
  return out;
}

// Every name of an enumeration, whose last member is given.
template <typename Enumeration>
py::list names(Enumeration last) {
  py::list out;
  for (int i = 0; i <= static_cast<int>(last); ++i) out.append(text(name_of(static_cast<Enumeration>(i))));
  return out;
}

// The words that data from quantmap can hold besides fields, presets and engines.
py::dict vocabulary() {
  const Catalog& all = catalog();
  py::dict keys;
  keys["preset"] = text(all.keys.preset);
  keys["presets"] = text(all.keys.presets);
  keys["wrapper"] = text(all.keys.wrapper);
  py::list checkpoints;
  for (const CheckpointKind& kind : all.checkpoint_kinds) {
    py::dict row;
    row["id"] = text(kind.id);
    row["title"] = text(kind.title);
    row["names"] = texts(kind.names);
    checkpoints.append(row);
  }
  py::list gpus;
  for (const GpuClass& gpu : all.gpu_classes) {
    py::dict row;
    row["id"] = text(gpu.id);
    row["title"] = text(gpu.title);
    gpus.append(row);
  }
  py::dict out;
  out["config_keys"] = keys;
  out["severities"] = names(kLastSeverity);
  out["outcomes"] = names(kLastOutcome);
  out["verdicts"] = names(kLastJudgement);
  out["checkpoints"] = checkpoints;
  out["gpus"] = gpus;
  return out;
}

constexpr Function kCatalogFunctions[] = {
    function<&fields>("fields", "", "Every field of both config forms."),
    function<&presets>("presets", "", "Every preset with its metadata."),
    function<&engines>("engines", "", "Every engine with its names and flags."),
    function<&diagnostics>("diagnostics", "", "The registry of diagnostics."),
    function<&vocabulary>("vocabulary", "", "Words of configs and of results, and the kinds of checkpoints and GPUs."),
};

}  // namespace

void register_catalog(py::handle module) {
  module.attr("catalog_version") = text(catalog().version);
  module.attr("catalog_hash") = text(catalog().hash);
  module.attr("precision_parts") = pairs(kPrecisionParts);
  add_functions(module, kCatalogFunctions);
}

}  // namespace quantmap::bindings
