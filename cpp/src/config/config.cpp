#include "quantmap/config/config.hpp"

#include "quantmap/base/text.hpp"

namespace quantmap {

Setting effective(const Config& config, FieldId field) noexcept {
  const Setting& setting = config[field];
  const int fallback = field_info(field).default_option;
  if (setting.present || fallback < 0) return setting;
  return {true, fallback, 0.0};
}

std::string spelled(FieldId field, const Setting& setting) {
  const Field& info = field_info(field);
  switch (info.kind) {
    case FieldKind::kOption: return std::string(info.options[static_cast<std::size_t>(setting.number)].id);
    case FieldKind::kBoolean: return setting.number != 0 ? "true" : "false";
    case FieldKind::kInteger: return std::to_string(setting.number);
    case FieldKind::kFraction: return python_float(setting.fraction);
    case FieldKind::kLabel: break;
  }
  return {};
}

bool is_one_of(const Field& field, const Setting& setting, std::uint64_t options) noexcept {
  if (!setting.present) return false;
  if (options == ~std::uint64_t{0}) return true;
  return field.kind == FieldKind::kOption && ((options >> static_cast<unsigned>(setting.number)) & 1U) != 0;
}

Config preset_config(const Preset& preset) {
  Config config;
  config.form = preset.form;
  config.preset = preset.id;
  const auto& sections = catalog().sections;
  for (const PresetSetting& setting : preset.settings) {
    config.choose(setting.field, setting.number);
    for (std::size_t i = 0; i < sections.size(); ++i) {
      if (sections[i].id == field_info(setting.field).section) config.sections |= std::uint32_t{1} << i;
    }
  }
  return config;
}

namespace {

Value value_of(const Config& config, const Field& field) {
  const Setting setting = effective(config, field.field);
  switch (field.kind) {
    case FieldKind::kOption: {
      const Option& option = field.options[static_cast<std::size_t>(setting.number)];
      return option.number >= 0 ? Value::integer(std::to_string(option.number)) : Value::text(std::string(option.id));
    }
    case FieldKind::kBoolean: return Value::boolean(setting.number != 0);
    case FieldKind::kInteger: return Value::integer(std::to_string(setting.number));
    case FieldKind::kFraction: return Value::real(setting.fraction);
    case FieldKind::kLabel: return Value::text(config.label);
  }
  return {};
}

}  // namespace

Value to_value(const Config& config) {
  Value out = Value::object();
  if (config.form == Form::kFourField) {
    for (const Field& field : catalog().fields) {
      if (field.form == config.form) out.set(std::string(field.key), value_of(config, field));
    }
    return out;
  }
  const auto& sections = catalog().sections;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const Section& section = sections[i];
    Value inner = Value::object();
    for (const Field& field : catalog().fields) {
      if (field.section != section.id || !config[field.field].present) continue;
      inner.set(std::string(field.key), value_of(config, field));
    }
    const bool stands = ((config.sections >> i) & 1U) != 0;  // an empty section still says which form this is
    if (stands || !inner.members().empty()) out.set(std::string(section.id), std::move(inner));
  }
  for (const Field& field : catalog().fields) {
    if (field.form != config.form || !field.section.empty() || !config[field.field].present) continue;
    out.set(std::string(field.key), value_of(config, field));
  }
  return out;
}

}  // namespace quantmap
