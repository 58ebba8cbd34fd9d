#include "describe.hpp"

#include "quantmap/base/text.hpp"
#include "quantmap/mapping/render.hpp"
#include "quantmap/results/checkpoints.hpp"
#include "quantmap/results/launches.hpp"
#include "quantmap/results/memory.hpp"

namespace quantmap::wasm {

namespace {

struct JsonMaker {
  using Made = Value;

  static Value none() { return {}; }
  static Value boolean(bool value) { return Value::boolean(value); }
  template <class Number>
  static Value integer(Number value) {
    return Value::integer(std::to_string(value));
  }
  static Value real(double value) { return Value::real(value); }
  static Value text(std::string_view value) { return wasm::text(value); }
  static Value shared(const std::string& value) { return wasm::text(value); }
  static Value value(const Value& value) { return value; }
  static Value pair(Value first, Value second) {
    List out;
    out.append(std::move(first));
    out.append(std::move(second));
    return out.done();
  }

  struct List {
    Value out = Value::array();
    void append(Value item) { out.append(std::move(item)); }
    Value done() { return std::move(out); }
  };

  struct Object {
    Value out = Value::object();
    void put(std::string_view key, Value item) { out.set(std::string(key), std::move(item)); }
    Value done() { return std::move(out); }
  };

  template <class Class>
  struct Result : Object {
    template <class Type>
    void put(const char* name, const Type& value) {
      Object::put(name, results::made<JsonMaker>(value));
    }
    template <class Type>
    void keep(const char*, const Type&) {}  // what Python goes on with
  };
};

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

}  // namespace

Value text(std::string_view value) { return Value::text(std::string(value)); }

Value described(const Diagnostics& diagnostics) { return results::made<JsonMaker>(diagnostics); }
Value described(const CheckedScript& script) { return results::made<JsonMaker>(script); }
Value described(const MemoryFit& fit) { return results::made<JsonMaker>(fit); }
Value described(const Checkpoint& checkpoint) { return results::made<JsonMaker>(checkpoint); }

Value described(const Mapping& mapping, const std::string& model) {
  Value out = results::made<JsonMaker>(mapping);
  out.set("line", text(line_of(mapping, model)));
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
