#include "quantmap/config/resolve.hpp"
#include "quantmap/catalog/codes.hpp"

#include "quantmap/base/text.hpp"
#include "quantmap/config/validate.hpp"

namespace quantmap {

namespace {

const Value* given(const Value& object, std::string_view key) {
  const Value* value = object.find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

const Preset* read_preset_name(const Value& value, const Path& path, Diagnostics& problems) {
  if (value.is_array()) {
    problems.add(Code::kListOfValues, path.str());
    return nullptr;
  }
  if (!value.is_text()) {
    report_wrong_type(value, "the name of a preset", path, problems);
    return nullptr;
  }
  if (const Preset* preset = find_preset(value.as_text())) return preset;
  std::vector<std::string_view> names;
  for (const Preset& preset : catalog().presets) names.push_back(preset.id);
  std::string hint = did_you_mean(value.as_text(), names);
  problems.add(Code::kUnknownPreset, path.str(),
               {{"value", quote(value.as_text())}, {"known", join(names)}, {"hint", hint}});
  return nullptr;
}

// The preset that the config names, if it names one.
const Preset* read_preset(const Value& object, const Path& path, Diagnostics& problems) {
  const ConfigKeys& keys = catalog().keys;
  const Value* one = given(object, keys.preset);
  const Value* several = given(object, keys.presets);
  const Path one_path(path, keys.preset);
  const Path several_path(path, keys.presets);
  if (one != nullptr && several != nullptr) {
    problems.add(Code::kPresetBesidePresets, several_path.str());
    return nullptr;
  }
  if (one != nullptr) return read_preset_name(*one, one_path, problems);
  if (several == nullptr) return nullptr;
  if (!several->is_array()) {
    report_wrong_type(*several, "a list of preset names", several_path, problems);
    return nullptr;
  }
  const std::vector<Value>& names = several->items();
  if (names.empty()) problems.add(Code::kEmptyPresets, several_path.str());
  const Preset* found = nullptr;
  for (std::size_t i = 0; i < names.size(); ++i) found = read_preset_name(names[i], Path(several_path, i), problems);
  if (names.size() > 1) {
    problems.add(Code::kSeveralPresets, several_path.str(), {{"count", std::to_string(names.size())}});
    return nullptr;
  }
  return found;
}

void check_required_keys(const Explicit& given_keys, const Config& config, const Path& path, Diagnostics& problems) {
  const auto& sections = catalog().sections;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    if (sections[i].required_key.empty() || ((config.sections >> i) & 1U) == 0) continue;
    for (const Field& field : catalog().fields) {
      if (field.section != sections[i].id || field.key != sections[i].required_key) continue;
      const bool mentioned = ((given_keys.mentioned >> index_of(field.field)) & 1U) != 0;
      if (config[field.field].present || mentioned) continue;
      problems.add(Code::kMissingMethod, Path(path, sections[i].id).str(),
                   {{"section", quote(field.section)}, {"key", quote(field.key)}});
    }
  }
}

// Replaces an option that another field completes, and compares that field with an option already complete.
void complete(Config& config, const Path& path, Diagnostics& problems) {
  for (const Field& field : catalog().fields) {
    const Completion& completion = field.completion;
    if (!completion.exists || !config[field.field].present) continue;
    const Setting by = config[completion.by];
    const auto chosen = static_cast<std::size_t>(by.present ? by.number : completion.default_option);
    const std::int8_t complete_option = completion.with[chosen];
    Setting& setting = config[field.field];
    if (setting.number == completion.option) {
      setting.number = complete_option;
      continue;
    }
    bool completed = false;
    for (const std::int8_t option : completion.with) completed |= setting.number == option;
    if (!by.present || !completed || setting.number == complete_option) continue;
    const Field& other = field_info(completion.by);
    problems.add(Code::kConflictingFp8Format, Path(Path(path, other.section), other.key).str(),
                 {{"value", quote(spelled(completion.by, by))}, {"dtype", quote(spelled(field.field, setting))}});
  }
}

void report_no_object(const Value& value, const Path& path, Diagnostics& problems) {
  if (value.kind() == Value::Kind::kBroken) {
    report_wrong_type(value, {}, path, problems);
  } else {
    problems.add(Code::kNotAnObject, path.str(), {{"got", value.describe()}});
  }
}

std::optional<Config> resolve_object(const Value& object, const Path& path, Diagnostics& problems) {
  const Preset* preset = read_preset(object, path, problems);
  const Explicit own = validate(object, path, problems);
  Config config = own.config;
  if (preset != nullptr) {
    if (own.form && *own.form != preset->form) {
      const std::string name = "preset " + quote(preset->id);
      const bool four = preset->form == Form::kFourField;
      problems.add_once(Code::kMixedForms, path.str(),
                        {{"four_field", four ? name : "explicit keys"}, {"unified", four ? "explicit keys" : name}});
    }
    config = preset_config(*preset);
    for (const Field& field : catalog().fields) {
      if (own.config[field.field].present) config[field.field] = own.config[field.field];
    }
    config.sections |= own.config.sections;
    if (!own.config.label.empty()) config.label = own.config.label;
  }
  // Without the preset that is meant, what is missing or contradictory cannot be told.
  const bool named =
      given(object, catalog().keys.preset) != nullptr || given(object, catalog().keys.presets) != nullptr;
  if (preset != nullptr || !named) {
    check_required_keys(own, config, path, problems);
    complete(config, path, problems);
  }
  if (problems.has_errors()) return std::nullopt;
  return config;
}

}  // namespace

std::optional<Config> resolve(const Value& input, const Path& path, Diagnostics& problems) {
  if (input.is_null()) return Config{};
  if (!input.is_object()) {
    report_no_object(input, path, problems);
    return std::nullopt;
  }
  const std::string_view wrapper = catalog().keys.wrapper;
  const Value* wrapped = given(input, wrapper);
  if (wrapped == nullptr) return resolve_object(input, path, problems);
  for (const auto& [key, value] : input.members()) {
    if (key == wrapper || value.is_null()) continue;
    problems.add(Code::kWrapperBesideFields, Path(path, key).str(),
                 {{"wrapper", quote(wrapper)}, {"value", quote(key)}});
  }
  const Path inner(path, wrapper);
  if (!wrapped->is_object()) {
    report_no_object(*wrapped, inner, problems);
    return std::nullopt;
  }
  if (given(*wrapped, wrapper) != nullptr) {
    problems.add(Code::kDuplicateWrapper, Path(inner, wrapper).str(),
                 {{"first", std::string(wrapper)}, {"second", inner.str() + "." + std::string(wrapper)}});
    return std::nullopt;
  }
  return resolve_object(*wrapped, inner, problems);
}

}  // namespace quantmap
