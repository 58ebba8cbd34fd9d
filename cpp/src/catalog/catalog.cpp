#include "quantmap/catalog/catalog.hpp"

namespace quantmap {

int find_option(const Field& field, std::string_view id) noexcept {
  for (std::size_t i = 0; i < field.options.size(); ++i) {
    if (field.options[i].id == id) return static_cast<int>(i);
  }
  return -1;
}

const Preset* find_preset(std::string_view id) noexcept {
  for (const Preset& preset : catalog().presets) {
    if (preset.id == id) return &preset;
  }
  return nullptr;
}

const Engine* find_engine(std::string_view id) noexcept {
  for (const Engine& engine : catalog().engines) {
    if (engine.id == id) return &engine;
  }
  return nullptr;
}

std::string_view name_of(Form form) noexcept { return form == Form::kFourField ? "four_field" : "unified"; }

std::string_view name_of(Severity severity) noexcept {
  constexpr std::string_view kNames[] = {"error", "warning", "info"};
  return kNames[static_cast<std::size_t>(severity)];
}

std::string_view name_of(Outcome outcome) noexcept {
  constexpr std::string_view kNames[] = {"applied", "replaced", "ignored", "falls-back",  "not-supported",
                                         "renamed", "degraded", "dropped", "cannot-serve"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::string_view name_of(FieldKind kind) noexcept {
  constexpr std::string_view kNames[] = {"option", "boolean", "integer", "fraction", "label"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace quantmap
