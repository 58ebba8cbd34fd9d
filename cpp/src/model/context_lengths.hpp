// The longest context that a config lets be, as engines read it.
#pragma once

#include <optional>

#include "model/config_reader.hpp"
#include "quantmap/model/architecture.hpp"

namespace quantmap {

// Of the part of a config that describes the text model.
[[nodiscard]] ContextLengths read_context_lengths(const ConfigReader& config);

// The same of a config over which the keys of an object are laid; nothing when what becomes of it cannot be told.
[[nodiscard]] std::optional<ContextLengths> laid_over(const ContextLengths& lengths, const Value& overrides);

}  // namespace quantmap
