// A validated config, of either form: one setting per field of the catalogue.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "quantmap/base/value.hpp"
#include "quantmap/catalog/catalog.hpp"

namespace quantmap {

struct Setting {
  bool present = false;
  std::int64_t number = 0;  // option index, 0 or 1, or the integer itself
  double fraction = 0.0;    // for fields of kind fraction
};

struct Config {
  Form form = Form::kFourField;
  std::array<Setting, kFieldCount> settings{};
  std::uint32_t sections = 0;  // bit i: section i of the catalogue is given, even if empty
  std::string label;           // the unified form's `name`
  std::string preset;          // the preset it was expanded from, or ""

  [[nodiscard]] const Setting& operator[](FieldId field) const noexcept { return settings[index_of(field)]; }
  [[nodiscard]] Setting& operator[](FieldId field) noexcept { return settings[index_of(field)]; }
  void choose(FieldId field, std::int64_t number) noexcept { (*this)[field] = {true, number, 0.0}; }
};

// The setting, or the field's default; absent when there is neither.
[[nodiscard]] Setting effective(const Config& config, FieldId field) noexcept;
// The setting as it is spelt in a config: an option's name, "true", "8".
[[nodiscard]] std::string spelled(FieldId field, const Setting& setting);
// Whether the setting is one of the options in the mask. An integer or a flag matches only the full mask.
[[nodiscard]] bool is_one_of(const Field& field, const Setting& setting, std::uint64_t options) noexcept;

[[nodiscard]] Config preset_config(const Preset& preset);
// As JSON-like data: four keys, or the nested form with what is present.
[[nodiscard]] Value to_value(const Config& config);

}  // namespace quantmap
