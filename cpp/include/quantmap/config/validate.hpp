// Checks of the explicit keys of a config, driven by the catalogue's field table.
#pragma once

#include <cstdint>
#include <optional>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"
#include "quantmap/config/config.hpp"

namespace quantmap {

// What a config says explicitly.
struct Explicit {
  Config config;
  std::optional<Form> form;     // the form its keys have, if it has any
  std::uint64_t mentioned = 0;  // bit i: field i of the catalogue is given, even if its value is wrong
};

// Reads the fields of `object`, reporting unknown keys, values and mixed forms. Keys that the resolver handles
// (preset, presets, the wrapper) are passed over.
[[nodiscard]] Explicit validate(const Value& object, const Path& path, Diagnostics& problems);

// One value of one field. A label's text goes to `label`.
[[nodiscard]] std::optional<Setting> read_setting(const Field& field, const Value& value, const Path& path,
                                                  Diagnostics& problems, std::string* label = nullptr);

// Reports a value of the wrong type, or what the reader could not translate.
void report_wrong_type(const Value& value, std::string expected, const Path& path, Diagnostics& problems,
                       std::string hint = {});

}  // namespace quantmap
