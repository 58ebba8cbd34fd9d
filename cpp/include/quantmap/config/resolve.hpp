// From input as given to a validated config: wrapper, presets, overrides, every check that needs no engine.
#pragma once

#include <optional>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"
#include "quantmap/config/config.hpp"

namespace quantmap {

// The config that `input` describes, or nothing when `problems` got an error. Null means all defaults.
// Warnings (an option that does not fit the method) go to `problems` as well.
[[nodiscard]] std::optional<Config> resolve(const Value& input, const Path& path, Diagnostics& problems);

}  // namespace quantmap
